"""Counting what a model holds and what one pass of it computes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from mmengine.config import ConfigDict
from mmengine.registry import MODELS, DefaultScope
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.module import register_module_forward_hook
from torch.utils.flop_counter import FlopCounterMode

from hrnet_plugin.config_types import ConfigEntry
from hrnet_plugin.hosts import MMDET, find_host

_ATEN = torch.ops.aten


def _per_value(number: int) -> Any:
    return lambda shape, *args, out_shape=None, **kwargs: number * prod(shape)


# Beside convolutions and matrix products, which torch counts. Two operations a value for a norm (scale, shift), one for
# a ReLU: so did the counters with which the paper's figures were made.
_POINTWISE = {
    _ATEN.relu: _per_value(1),
    _ATEN.relu_: _per_value(1),
    **{getattr(_ATEN, name): _per_value(2) for name in (
        'native_batch_norm', 'cudnn_batch_norm', '_native_batch_norm_legit_no_training', 'native_group_norm')},
}


@dataclass(frozen=True)
class Count:
    """What a model, or a part of one, holds and computes.

    Attributes:
        parameters: Number of weights.
        norm_parameters: Those of them in batch norms.
        macs: Multiply-adds of convolutions and matrix products, without biases.
        pointwise: Operations of norms (two a value) and ReLUs (one a value).
    """

    parameters: int
    norm_parameters: int
    macs: int
    pointwise: int

    def __sub__(self, other: Count) -> Count:
        return Count(*(mine - theirs for mine, theirs in zip(self._values(), other._values())))

    def _values(self) -> tuple[int, int, int, int]:
        return self.parameters, self.norm_parameters, self.macs, self.pointwise


@dataclass(frozen=True)
class ModelCount:
    """What a model holds and computes, part by part.

    Attributes:
        parts: Counts of 'backbone', 'neck' (where there is one), 'heads' (all the rest) and 'total'.
        left_out: Parts with weights that the pass did not reach; their operations are missing.
    """

    parts: dict[str, Count]
    left_out: tuple[str, ...]


def count_model(model: ConfigEntry,
                scope: str,
                shape: tuple[int, int],
                box_rois: int = 1000,
                mask_rois: int = 100,
                channels: int = 3,
                prepare: Callable[[nn.Module], None] | None = None) -> ModelCount:
    """Count a config's model in eval mode, as this package computes it.

    Args:
        model: The config's ``model``.
        scope: The config's ``default_scope``.
        shape: Height and width of one input image, in pixels.
        box_rois: Regions in each box head of a detector of two stages.
        mask_rois: Regions in each mask head.
        channels: Of the image.
        prepare: Called with the model before it is counted.

    Raises:
        ValueError: If the model has no backbone, does not take images of that shape, or has heads that need more than
            features or regions.
    """
    def count_on(device: str) -> ModelCount:
        with DefaultScope.overwrite_default_scope(scope):
            with torch.device(device):
                built = MODELS.build(ConfigDict(deepcopy(dict(model)))).eval()
            if prepare is not None:
                prepare(built)
            forward = (find_host(scope) or MMDET).forward
            return _count_parts(built, forward, torch.zeros(1, channels, *shape, device=device), box_rois, mask_rois)

    try:
        return count_on('meta')
    except (NotImplementedError, RuntimeError):
        pass  # transformers look at values, of which the meta device has none
    except (AttributeError, TypeError) as error:
        raise ValueError(f'a model of type {model.get("type")!r} cannot be counted: {error}') from error
    try:
        return count_on('cpu')
    except (AttributeError, RuntimeError, TypeError) as error:
        raise ValueError(f'the model does not run on an image of {shape[0]} x {shape[1]}: {error}') from error


def _count_parts(model: Any, forward: Callable[[nn.Module, torch.Tensor, int, int], None], image: torch.Tensor,
                 box_rois: int, mask_rois: int) -> ModelCount:
    reached: set[nn.Module] = set()
    with torch.no_grad():
        backbone, feats = count_call(model.backbone, model.backbone, image)
        parts = {'backbone': backbone}
        if getattr(model, 'neck', None) is not None:
            parts['neck'], _ = count_call(model.neck, model.neck, feats)
        handle = register_module_forward_hook(lambda module, args, out: reached.add(module))
        try:
            total, _ = count_call(model, forward, model, image, box_rois, mask_rois)
        finally:
            handle.remove()
    rest = total
    for part in parts.values():
        rest = rest - part
    return ModelCount({**parts, 'heads': rest, 'total': total}, tuple(_left_out(model, reached)))


def _left_out(model: nn.Module, reached: set[nn.Module]) -> Iterator[str]:
    """The parts of a model, and of its regions' head, of which no module with weights was called."""
    for name, part in model.named_children():
        if name == 'roi_head':
            yield from (f'{name}.{inner}' for inner in _left_out(part, reached))
        elif any(True for _ in part.parameters()) and reached.isdisjoint(part.modules()):
            yield name


def count_call(module: nn.Module, run: Any, *args: Any) -> tuple[Count, Any]:
    """Weights of a module, operations of ``run(*args)``, and what that returned."""
    with FlopCounterMode(display=False, custom_mapping=_POINTWISE) as counter:
        out = run(*args)
    operations = counter.get_flop_counts().get('Global', {})
    pointwise = sum(number for op, number in operations.items() if op in _POINTWISE)
    norms = (norm for norm in module.modules() if isinstance(norm, _BatchNorm))
    count = Count(
        parameters=sum(p.numel() for p in module.parameters()),
        norm_parameters=sum(p.numel() for norm in norms for p in norm.parameters()),
        # torch counts a multiply-add as two
        macs=(sum(operations.values()) - pointwise) // 2,
        pointwise=pointwise)
    return count, out
