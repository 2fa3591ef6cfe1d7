"""Hook that checks whether a loaded checkpoint matches the model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import Tensor, nn

from hrnet_plugin.checkpoints import SCHEME
from hrnet_plugin.checkpoints.backbone import find_unused_rows
from hrnet_plugin.checkpoints.match import match_state_dict, summarize_names
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
        own = self._within(_bare(runner.model).state_dict())
        tensors = self._within(checkpoint.get('state_dict', checkpoint))
        source = (getattr(runner, '_load_from', None) or 'the checkpoint')
        source = source.removeprefix(SCHEME)
        try:
            match = match_state_dict(own, tensors)
        except ValueError as error:
            raise ValueError(f'{source}: {error}') from None
        modules = {name.split('.')[0] for name in own}
        allowed = find_unused_rows(own, match.unused)
        unexpected = [name for name in match.unused if name.split('.')[0] in modules and name not in allowed
                      and not name.endswith('num_batches_tracked')]
        if match.missing or unexpected:
            words = [f'{len(names)} {what} ({", ".join(summarize_names(names, of)[:8])})' for names, of, what in (
                (match.missing, own, 'are missing'), (unexpected, tensors, 'are not in the model')) if names]
            raise ValueError(f'{source} must have the {len(own)} tensors of the model'
                             f'{f" in {self.part}" if self.part else ""}, got {len(match.weights)}: '
                             f'{", ".join(words)}. It belongs to another model than the config')

    def _within(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        # mmengine removes the prefix of data-parallel models, too
        bare = {name.removeprefix('module.'): tensor for name, tensor in tensors.items()}
        return {name: x for name, x in bare.items() if not self.part or name.startswith(f'{self.part}.')}


def _bare(model: nn.Module) -> nn.Module:
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.get_submodule('module')
    return model
