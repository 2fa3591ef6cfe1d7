"""Files of predictions: visualizations and JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from hrnet_plugin.array_types import Pixels
from hrnet_plugin.files import atomic_writes

if TYPE_CHECKING:
    from hrnet_plugin.results.prediction import Prediction

_FORMATS = {'.jpg': 'JPEG', '.jpeg': 'JPEG', '.png': 'PNG'}
_JPEG_QUALITY = 92


def visualization_name(name: str) -> str:
    """Return the file name of the visualization of an image: that of a JPEG or PNG file, else with '.png' added."""
    return name if Path(name).suffix.lower() in _FORMATS else f'{name}.png'


def write_image(pixels: Pixels, path: Path, suffix: str) -> None:
    """Write an image in the format of a suffix.

    Args:
        pixels: Image in RGB order.
        path: File to write.
        suffix: '.jpg', '.jpeg' or '.png' in upper or lower case.
    """
    with path.open('wb') as file:
        Image.fromarray(pixels).save(file, _FORMATS[suffix.lower()], quality=_JPEG_QUALITY)


def save(prediction: Prediction, folder: Path, stem: str | None, score_threshold: float) -> tuple[Path, Path]:
    """Write the files of :meth:`~hrnet_plugin.results.prediction.Prediction.save`, and return their paths."""
    source = Path(prediction.name)
    suffix = source.suffix if source.suffix.lower() in _FORMATS else '.png'
    if stem is None:  # frames of a video are named 'clip.mp4#000003'
        stem = source.name if '#' in source.suffix else source.stem
    paths = folder / f'{stem}{suffix}', folder / f'{stem}.json'
    for path in paths:
        if path.exists():
            raise FileExistsError(f'folder must not have {path.name}, got {path}. Choose another folder or stem')
    pixels = prediction.plot(score_threshold=score_threshold)
    with atomic_writes(folder) as scratch:
        write_image(pixels, scratch(paths[0].name), suffix)
        scratch(paths[1].name).write_text(f'{prediction.to_json()}\n', encoding='utf-8')
    return paths
