"""Loading of models for prediction."""

from __future__ import annotations

from pathlib import Path

from hrnet_plugin.config_files import find_config
from hrnet_plugin.execution import optimize_for_inference
from hrnet_plugin.prediction.exported_predictor import ExportedPredictor
from hrnet_plugin.prediction.model import choose_device, load_model
from hrnet_plugin.prediction.predictor import Predictor
from hrnet_plugin.prediction.runtimes.formats import is_exported
from hrnet_plugin.prediction.top_down import TopDownPredictor
from hrnet_plugin.prediction.torch_predictor import TorchPredictor

_CHECKPOINT_SUFFIXES = ('.pth', '.pt', '.safetensors', '.ckpt')


def load(model: str | Path, checkpoint: str | Path | None = None, *, device: str | None = None,
         engine: str | None = None, expected_images: int | None = None, detector: Predictor | None = None) -> Predictor:
    """Load a model for prediction.

    >>> import hrnet_plugin
    >>> predictor = hrnet_plugin.load('mask-rcnn_hrnetv2p-w18_1x_coco', 'epoch_12.pth')  # doctest: +SKIP
    >>> prediction = predictor('image.jpg')                                              # doctest: +SKIP

    Args:
        model: Name of a shipped config, path of any config of mmdet, mmpose or mmsegmentation, or an exported file with
            the suffix .onnx, .xml or .pt2. Loading a .pt2 file can execute code in it.
        checkpoint: Path or address of the checkpoint, of any family. No code in it is executed. None for exported
            files.
        device: Torch device. Default: the first GPU if there is one, else the CPU. Exported files run on the CPU.
        engine: Inference engine, see :func:`hrnet_plugin.optimize_for_inference`. Default: None, the eager model.
        expected_images: Number of images to predict, by which the engine 'auto' chooses. Default: unknown.
        detector: Detector of persons for a top-down pose estimator. Default: the whole image is one person, unless
            boxes are given with the image.

    Returns:
        Predictor. Call it with an image, or iterate over ``predictor.predict(source)``.

    Raises:
        ImportError: If the package that runs an exported file is not installed.
        OSError: If a file cannot be read.
        ValueError: If the checkpoint is missing or belongs to another model, or an argument is invalid.
    """
    if is_exported(model):
        predictor = _load_exported(model, checkpoint, device, engine)
    else:
        predictor = _load_torch(str(model), checkpoint, device, engine, expected_images)
    return predictor if detector is None else TopDownPredictor(predictor, detector)


def _load_exported(model: str | Path, checkpoint: str | Path | None, device: str | None, engine: str | None
                   ) -> Predictor:
    if checkpoint is not None:
        raise ValueError(f'checkpoint must be None for the exported file {str(model)!r}, got {str(checkpoint)!r}')
    if device not in (None, 'cpu'):
        raise ValueError(f"device must be 'cpu' for the exported file {str(model)!r}, got {device!r}")
    if engine is not None:
        raise ValueError(f'engine must be None for the exported file {str(model)!r}, got {engine!r}')
    return ExportedPredictor(model)


def _load_torch(model: str, checkpoint: str | Path | None, device: str | None, engine: str | None,
                expected_images: int | None) -> Predictor:
    if Path(model).suffix in _CHECKPOINT_SUFFIXES:
        raise ValueError(f'model must be a config or an exported file, got the checkpoint {model!r}. Give the name of '
                         'its config, and the checkpoint as second argument')
    config = find_config(model)
    if checkpoint is None:
        raise ValueError(f'checkpoint must be given with a config, got none for {model!r}')
    network = load_model(config, str(checkpoint), device=choose_device(device))
    predictor = TorchPredictor(config, network)
    if engine is not None:
        optimize_for_inference(network, engine, expected_images)
    return predictor
