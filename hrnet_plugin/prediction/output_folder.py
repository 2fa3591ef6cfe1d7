"""Folder of predictions: visualizations, and the values of all images as one JSON file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TextIO

from hrnet_plugin.array_types import Pixels
from hrnet_plugin.files import atomic_folder, is_empty_folder
from hrnet_plugin.prediction.sources import InputImage
from hrnet_plugin.prediction.video import Video, VideoWriter
from hrnet_plugin.results.dataset_meta import DatasetMeta
from hrnet_plugin.results.prediction import Prediction
from hrnet_plugin.results.saving import visualization_name, write_image

PREDICTIONS = 'predictions.json'


@contextmanager
def output_folder(folder: Path, video: Video | None = None) -> Iterator[OutputFolder]:
    """Yield a writer of predictions. The folder is complete when the block ends, and not written if the block fails.

    Args:
        folder: Folder that is missing or empty.
        video: Video of the images, for a visualization as video. Default: one visualization per image.

    Raises:
        FileExistsError: If the folder has files.
        OSError: If it cannot be written.
    """
    if folder.is_dir() and not is_empty_folder(folder):
        raise FileExistsError(f'the output folder must be missing or empty, got {str(folder)!r} with files. Choose '
                              'another folder')
    with (atomic_folder(folder, last=PREDICTIONS) as scratch,
          (scratch / PREDICTIONS).open('w', encoding='utf-8') as file,
          closing(OutputFolder(scratch, file, video)) as output):
        yield output
        output.finish()


class OutputFolder:
    """Writer of predictions, one image at a time.

    Args:
        folder: Existing folder.
        file: File for the values as JSON.
        video: Video of the images, or None.
    """

    def __init__(self, folder: Path, file: TextIO, video: Video | None) -> None:
        self._folder, self._file, self._video = folder, file, video
        self._writer: VideoWriter | None = None
        self._is_empty = True

    def add(self, image: InputImage, prediction: Prediction, score_threshold: float) -> None:
        """Write the visualization and the values of an image.

        Args:
            image: Image.
            prediction: Prediction.
            score_threshold: Minimum score of objects and keypoints in the visualization.
        """
        start = f'{_header(prediction.meta)}\n' if self._is_empty else ',\n'
        self._file.write(start + prediction.to_json())
        pixels = prediction.plot(score_threshold=score_threshold)
        if self._video is None or not self._add_frame(pixels, self._video):
            path = self._free(visualization_name(image.relative))
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(pixels, path, path.suffix)
        self._is_empty = False

    def finish(self) -> None:
        """Complete the JSON file."""
        self._file.write('\n]}\n')

    def close(self) -> None:
        """Release the video file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _add_frame(self, pixels: Pixels, video: Video) -> bool:
        """Append a frame to the video. Return False if OpenCV cannot write videos."""
        if self._writer is None and self._is_empty:
            try:
                self._writer = VideoWriter(self._folder / f'{Path(video.path).stem}.mp4', video.rate,
                                           (pixels.shape[0], pixels.shape[1]))
            except OSError:
                return False
        if self._writer is None:
            return False
        self._writer.add(pixels)
        return True

    def _free(self, name: str) -> Path:
        """Return the path of a name, with a number if a file system without upper and lower case has it already."""
        path, number = self._folder / name, 2
        while path.exists():
            path, number = path.with_name(f'{Path(name).stem}_{number}{path.suffix}'), number + 1
        return path


def _header(meta: DatasetMeta) -> str:
    names = json.dumps(dict(classes=meta.classes, keypoints=meta.keypoints, skeleton=meta.skeleton))
    return f'{names[:-1]}, "predictions": ['
