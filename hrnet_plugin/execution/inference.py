"""Inference engines for models of any host."""

from __future__ import annotations

from torch import nn

from hrnet_plugin.checks import check_bool, check_choice, check_int
from hrnet_plugin.execution.compiled_forward import CompiledForward
from hrnet_plugin.execution.engines import ENGINES, EngineOptions, choose_engines
from hrnet_plugin.models.layers.optimizable import OPTIMIZED, Optimizable, OptimizableModule


def optimize_for_inference(model: nn.Module, engine: str = 'auto', expected_images: int | None = None, *,
                           max_graphs: int = 8, use_cache: bool = True) -> nn.Module:
    """Run the HRNet modules of a model by an inference engine when gradients are disabled.

    Training, tracers and submodules with hooks still use the eager modules. :func:`restore_eager` disables the engine.
    State dicts do not change. Copies and pickles of the model are eager.

    Changed weights are detected, with one exception: after a write through ``.data`` on a GPU or to single elements,
    call ``model.eval()``. Call this function before threads start, because torch.fx patches ``nn.Module`` while it
    traces. Python conditions in ``eager_forward`` of a derived class are evaluated once, during tracing.

    Args:
        model: Detector, pose estimator, segmentor or classifier with modules of this package, or one such module.
        engine: 'torch', 'openvino' or 'onnxruntime', or 'auto', which chooses by the number of images. The second
            and third run float32 on CPUs. If an engine is missing or fails, the log states why
            in one line, and the next best engine is used.
        expected_images: Number of images to predict. Default: None, i.e. unknown. With 'auto', the model stays eager
            for fewer than 8 images, and the torch engine is used for fewer than 500 or an unknown number. For more
            images, OpenVINO is used if it is installed.
        max_graphs: On GPUs, maximum number of input shapes per module with a CUDA graph. 0 for none. Default: 8.
        use_cache: Whether to store exported models of 'openvino' and 'onnxruntime' on disk and to read them from there.
            The folder is ``engines`` in ``$HRNET_PLUGIN_CACHE``, or in ``~/.cache/hrnet_plugin``. Default: True.

    Returns:
        The model, changed in place.

    Raises:
        TypeError, ValueError: If an argument is invalid, or the model has no module of this package.
    """
    check_choice('engine', engine, ENGINES)
    check_int('max_graphs', max_graphs, 0)
    check_bool('use_cache', use_cache)
    if expected_images is not None:
        check_int('expected_images', expected_images, 0)
    parts = optimizable_parts(model)
    engines = choose_engines(engine, expected_images)
    if not engines:
        return restore_eager(model)
    for part in parts:
        OPTIMIZED[part] = CompiledForward(part, engines, EngineOptions(max_graphs, use_cache))
    return model


def restore_eager(model: nn.Module) -> nn.Module:
    """Undo :func:`optimize_for_inference`. Return the model, changed in place."""
    for part in model.modules():
        OPTIMIZED.pop(part, None)
    return model


def is_optimized(model: nn.Module) -> bool:
    """Return True if an engine may run a module of the model."""
    return any(part in OPTIMIZED for part in model.modules())


def optimizable_parts(model: nn.Module) -> list[OptimizableModule]:
    """Return the outermost modules of a model that engines can run.

    Raises:
        ValueError: If there are none.
    """
    if isinstance(model, Optimizable):
        return [model]
    found = [part for part in model.modules() if isinstance(part, Optimizable)]
    inner = {id(child) for part in found for child in part.modules() if child is not part}
    outer = [part for part in found if id(part) not in inner]
    if not outer:
        raise ValueError('model must have modules of type hrnet_plugin.HRNet, hrnet_plugin.HRFPN or '
                         f'hrnet_plugin.HRNetV2, got {type(model).__name__} without')
    return outer
