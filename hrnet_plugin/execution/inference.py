"""Inference by an engine in the place of the eager network, in a model of any host."""

from __future__ import annotations

from torch import nn

from hrnet_plugin.checks import check_choice, check_int
from hrnet_plugin.execution.compiled_forward import CompiledForward
from hrnet_plugin.models.layers.optimizable import OPTIMIZED, Optimizable, OptimizableModule

ENGINES = ('auto', 'torch')
# Compiling takes about as long as this many images take longer without an engine.
_FEWEST_IMAGES = 8


def optimize_for_inference(model: nn.Module, engine: str = 'auto', expected_images: int | None = None, *,
                           max_graphs: int = 8) -> nn.Module:
    """Let an engine run the HRNet parts of a model wherever no gradients are needed.

    The eager modules stay: training, hooks of submodules and tracers run them, and :func:`restore_eager` ends the use
    of the engine. State dicts do not change. Copies and pickles of the model are eager. Weights may change. Call
    ``model.eval()`` after a write through ``.data`` on a GPU, or to single values: it leaves no other trace. Call this
    function before threads start: torch.fx patches ``nn.Module`` while it traces the model. What ``eager_forward`` of a
    derived class decides by Python values is decided then.

    Args:
        model: Detector, pose estimator, segmentor or classifier with parts of this package, or one of these parts.
        engine: 'torch', or 'auto' for the fastest that is installed.
        expected_images: Number of images to be predicted; None for many. With 'auto', a few images run eagerly, because
            compiling would take longer than it saves.
        max_graphs: On GPUs, number of input shapes for which each part keeps a CUDA graph; 0 for none.

    Returns:
        The model, changed in place.

    Raises:
        TypeError, ValueError: If an argument is wrong, or the model has no part of this package.
    """
    check_choice('engine', engine, ENGINES)
    check_int('max_graphs', max_graphs, 0)
    if expected_images is not None:
        check_int('expected_images', expected_images, 0)
    parts = optimizable_parts(model)
    if engine == 'auto' and expected_images is not None and expected_images < _FEWEST_IMAGES:
        return restore_eager(model)
    for part in parts:
        OPTIMIZED[part] = CompiledForward(part, max_graphs)
    return model


def restore_eager(model: nn.Module) -> nn.Module:
    """End what :func:`optimize_for_inference` began. Returns the model."""
    for part in model.modules():
        OPTIMIZED.pop(part, None)
    return model


def is_optimized(model: nn.Module) -> bool:
    """Return True if an engine may run a part of the model."""
    return any(part in OPTIMIZED for part in model.modules())


def optimizable_parts(model: nn.Module) -> list[OptimizableModule]:
    """Return the outermost parts of a model that engines can run.

    Raises:
        ValueError: If there are none.
    """
    if isinstance(model, Optimizable):
        return [model]
    found = [part for part in model.modules() if isinstance(part, Optimizable)]
    inner = {id(child) for part in found for child in part.modules() if child is not part}
    outer = [part for part in found if id(part) not in inner]
    if not outer:
        raise ValueError('model must have parts of type hrnet_plugin.HRNet, hrnet_plugin.HRFPN or '
                         f'hrnet_plugin.HRNetV2, got {type(model).__name__} without')
    return outer
