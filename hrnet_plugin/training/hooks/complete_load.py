"""Hook that checks whether a loaded checkpoint matches the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import nn

from hrnet_plugin.checkpoints import SCHEME
from hrnet_plugin.checkpoints.complete import check_complete
from hrnet_plugin.registry import HOOKS

if TYPE_CHECKING:
    from mmengine.runner import Runner


@HOOKS.register_module()
class CompleteLoadHook(Hook):
    """Hook that raises an error if keys or shapes of a checkpoint do not match the model.

    mmengine only logs mismatches, and trains or evaluates with the remaining tensors. This hook raises an error before
    any tensor is copied. Tensors of modules that the model lacks, e.g. an auxiliary head, and ``num_batches_tracked``
    are allowed. So are fusion paths to outputs that ``out_indices`` of the backbone does not select. The command-line
    tools of this package add the hook. In configs, add
    ``custom_hooks=[dict(type='hrnet_plugin.CompleteLoadHook')]``.

    Args:
        part: Name of the submodule to check, e.g. 'backbone' if the heads are trained from scratch. Default: the whole
            model.
    """

    def __init__(self, part: str = '') -> None:
        if not isinstance(part, str):
            raise TypeError(f'part must be the name of a submodule of the model, got {part!r}')
        self.part = part

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Check a checkpoint that is read, but not copied into the model yet.

        Raises:
            ValueError: If a tensor is missing, unexpected or of another shape. The message names the tensors.
        """
        source = (getattr(runner, '_load_from', None) or 'the checkpoint').removeprefix(SCHEME)
        check_complete(_bare(runner.model), checkpoint.get('state_dict', checkpoint), source, self.part)


def _bare(model: nn.Module) -> nn.Module:
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.get_submodule('module')
    return model
