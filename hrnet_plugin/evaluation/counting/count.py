"""Parameters and operations of a model."""

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
from hrnet_plugin.hosts import MMDET, config_image_channels, find_host

_ATEN = torch.ops.aten


def _per_value(number: int) -> Any:
    return lambda shape, *args, out_shape=None, **kwargs: number * prod(shape)


# Operations per value that torch does not count: two for a norm (scale, shift), one for a ReLU. The tools that counted
# the paper's models use the same numbers.
_POINTWISE = {
    _ATEN.relu: _per_value(1),
    _ATEN.relu_: _per_value(1),
    **{getattr(_ATEN, name): _per_value(2) for name in (
        'native_batch_norm', 'cudnn_batch_norm', '_native_batch_norm_legit_no_training', 'native_group_norm')},
}


@dataclass(frozen=True)
class Count:
    """Parameters and operations of a model or a part of it.

    Attributes:
        parameters: Number of parameters.
        norm_parameters: Number of parameters in batch norms.
        macs: Multiply-adds of convolutions and matrix products, without biases.
        pointwise: Operations of norms (two per value) and ReLUs (one per value).
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
    """Parameters and operations of a model and its parts.

    Attributes:
        parts: Counts of 'backbone', 'neck' (if the model has one), 'heads' (the rest) and 'total'.
        left_out: Names of the parts with parameters that did not run. Their operations are not counted.
    """

    parts: dict[str, Count]
    left_out: tuple[str, ...]


def count_model(model: ConfigEntry,
                scope: str,
                shape: tuple[int, int],
                box_rois: int = 1000,
                mask_rois: int = 100,
                prepare: Callable[[nn.Module], None] | None = None) -> ModelCount:
    """Count parameters and operations of a config's model in eval mode.

    Args:
        model: The config's ``model``.
        scope: The config's ``default_scope``.
        shape: Height and width of one input image, in pixels. It has the channels of the model's backbone.
        box_rois: Number of RoIs per box head of a two-stage detector.
        mask_rois: Number of RoIs per mask head.
        prepare: Function that is called with the model before counting.

    Raises:
        ValueError: If the model has no backbone, does not accept images of this shape, or has heads that require inputs
            other than features and RoIs.
    """
    def count_on(device: str) -> ModelCount:
        with DefaultScope.overwrite_default_scope(scope):
            with torch.device(device):
                built = MODELS.build(ConfigDict(deepcopy(dict(model)))).eval()
            if prepare is not None:
                prepare(built)
            forward = (find_host(scope) or MMDET).forward
            image = torch.zeros(1, config_image_channels(model), *shape, device=device)
            return _count_parts(built, forward, image, box_rois, mask_rois)

    try:
        return count_on('meta')
    except (NotImplementedError, RuntimeError):
        pass  # transformers depend on tensor values, which meta tensors lack
    except (AttributeError, TypeError) as error:
        raise ValueError(f'model of type {model.get("type")!r} cannot be counted: {error}') from error
    try:
        return count_on('cpu')
    except (AttributeError, RuntimeError, TypeError) as error:
        raise ValueError(f'model must accept an image of {shape[0]} x {shape[1]}, got an error: {error}') from error


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
    """Yield the names of the parts with parameters of which no module ran. The parts of a RoI head are separate."""
    for name, part in model.named_children():
        if name == 'roi_head':
            yield from (f'{name}.{inner}' for inner in _left_out(part, reached))
        elif any(True for _ in part.parameters()) and reached.isdisjoint(part.modules()):
            yield name


def count_call(module: nn.Module, run: Any, *args: Any) -> tuple[Count, Any]:
    """Count the parameters of a module and the operations of a call.

    Args:
        module: Module whose parameters are counted.
        run: Function to call, such as the module or a method of it.
        *args: Arguments of ``run``.

    Returns:
        The count, and the result of ``run(*args)``.
    """
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
