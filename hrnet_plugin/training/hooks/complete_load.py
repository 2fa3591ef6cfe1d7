"""A checkpoint fits the model that loads it, or is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mmengine.hooks import Hook
from mmengine.model import BaseTTAModel, is_model_wrapper
from torch import Tensor, nn

from hrnet_plugin.checkpoints import SCHEME
from hrnet_plugin.checkpoints.part import branches, find_part
from hrnet_plugin.registry import HOOKS

if TYPE_CHECKING:
    from mmengine.runner import Runner


@HOOKS.register_module()
class CompleteLoadHook(Hook):
    """Refuse a checkpoint that is not of the model.

    mmengine copies the tensors whose names and shapes are right, logs the others, and evaluates or trains what comes of
    it. With this hook (``custom_hooks=[dict(type='hrnet_plugin.CompleteLoadHook')]``; the package's own tools have it
    anyway), that is an error before anything is copied. Tensors of parts that the model does not have, such as an
    auxiliary head, and norms' counts of steps may differ.

    Args:
        part: Name of the part of the model that has to fit, such as 'backbone' where other heads start anew; all of it
            by default.
    """

    def __init__(self, part: str = '') -> None:
        if not isinstance(part, str):
            raise TypeError(f'part must be the name of a part of the model, got {part!r}')
        self.part = part

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """mmengine's hook for what was read and is not in the model yet.

        Raises:
            ValueError: If a tensor is missing, has another shape, or is not in the model; the message names them.
        """
        own = self._within(_bare(runner.model).state_dict())
        tensors = self._within(checkpoint.get('state_dict', checkpoint))
        source = (getattr(runner, '_load_from', None) or 'the checkpoint')
        source = source.removeprefix(SCHEME)
        try:
            part = find_part(own, tensors)
        except ValueError as error:
            raise ValueError(f'{source}: {error}') from None
        parts = {name.split('.')[0] for name in own}
        surplus = [name for name in part.unused
                   if name.split('.')[0] in parts and not name.endswith('num_batches_tracked')]
        if part.missing or surplus:
            words = [f'{len(names)} {what} ({", ".join(branches(names, of)[:8])})' for names, of, what in (
                (part.missing, own, 'are missing'), (surplus, tensors, 'are not in the model')) if names]
            raise ValueError(f'{source} must hold the {len(own)} tensors of the model'
                             f'{f" in {self.part}" if self.part else ""}, got {len(part.weights)}: {", ".join(words)}. '
                             'It is of another model than the config')

    def _within(self, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
        # mmengine takes what data parallel models prepend off when it loads
        bare = {name.removeprefix('module.'): tensor for name, tensor in tensors.items()}
        return {name: x for name, x in bare.items() if not self.part or name.startswith(f'{self.part}.')}


def _bare(model: nn.Module) -> nn.Module:
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.get_submodule('module')
    return model
