"""Videos: frames in order, read one by one by OpenCV."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from mmengine.logging import print_log

from hrnet_plugin.array_types import Pixels

#: Suffixes of videos, in lower case.
VIDEO_SUFFIXES = ('.avi', '.m4v', '.mkv', '.mov', '.mp4', '.mpeg', '.mpg', '.webm', '.wmv')
_DEFAULT_RATE = 25.


class Video:
    """Frames of a video file in BGR order.

    Args:
        path: Video file.

    Attributes:
        total: Number of frames in the header of the file, or None if it has none.
        rate: Frames per second.

    Raises:
        OSError: If OpenCV cannot read the file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        capture = self._open()
        try:
            number, rate = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
            if not capture.grab():
                raise OSError(f'{path} must be a video that OpenCV can read, got one without readable frames')
        finally:
            capture.release()
        self.total = int(number) if number > 0 else None
        self.rate = rate if np.isfinite(rate) and rate > 0 else _DEFAULT_RATE

    def __iter__(self) -> Iterator[Pixels]:
        capture = self._open()
        count = 0
        try:
            while True:
                is_read, frame = capture.read()
                if not is_read:
                    break
                count += 1
                yield frame
        finally:
            capture.release()
        if self.total is not None and count < self.total:
            print_log(f'{self.path} has {self.total} frames in its header, of which {count} can be read',
                      logger='current', level=logging.WARNING)

    def _open(self) -> cv2.VideoCapture:
        os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')  # FFmpeg prints to stderr, which has one line per error
        with Path(self.path).open('rb'):  # OpenCV does not say why it cannot open a file
            capture = cv2.VideoCapture(os.path.abspath(self.path))  # FFmpeg takes 'a:b.mp4' for an address
        if not capture.isOpened():
            capture.release()
            raise OSError(f'{self.path} must be a video that OpenCV can read, got a damaged file or an unknown format')
        return capture


class VideoWriter:
    """Writer of a video file (MPEG-4), whose frames have one size.

    Args:
        path: File to write. Its suffix must be '.mp4'.
        rate: Frames per second.
        size: Height and width of the frames in pixels.

    Raises:
        OSError: If OpenCV cannot write videos.
    """

    def __init__(self, path: Path, rate: float, size: tuple[int, int]) -> None:
        self._writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'mp4v'), rate, size[::-1])
        if not self._writer.isOpened():
            raise OSError(f'{path.name} must be a video that OpenCV can write. Install opencv-python with FFmpeg')

    def add(self, pixels: Pixels) -> None:
        """Append a frame in RGB order."""
        self._writer.write(np.ascontiguousarray(pixels[..., ::-1]))

    def close(self) -> None:
        """Finish the file."""
        self._writer.release()
