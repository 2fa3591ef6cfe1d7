"""Streaming reader of detections. All detections of test-dev as Python objects take gigabytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from hrnet_plugin.json_depth import DepthScan
from hrnet_plugin.json_files import check_regular
from hrnet_plugin.requirements import install_command

DEEPEST = 8  # nesting depth; masks have 4
_REASON = 100  # characters of ijson's message, which may quote a number of any length


def read_detections(file: str | Path) -> Iterator[Any]:
    """Iterate over the elements of a JSON list in bounded memory.

    If an object has a key twice, the last value counts, as on the server. Archives contain it alone.

    Args:
        file: Path of the JSON file.

    Raises:
        ImportError: If ijson is not installed.
        FileNotFoundError: If the file does not exist.
        ValueError: If the file is no regular file, not complete JSON, not a list, or nested deeper than
            :data:`DEEPEST`.
    """
    try:
        import ijson
    except ImportError:
        raise ImportError(f'submissions require ijson, which is not installed: {install_command("ijson")}') from None
    check_regular(file, 'a JSON list of detections')
    number = 0
    with open(file, 'rb') as opened:
        first = opened.read(4096).lstrip()
        if not first.startswith(b'['):
            raise ValueError(f'results must be a JSON list, got a file that begins with {first[:20]!r}')
        opened.seek(0)
        shallow = _ShallowFile(opened)
        try:
            for element in ijson.items(shallow, 'item', use_float=True):
                yield element
                number += 1
        except ijson.JSONError as error:
            if not shallow.too_deep:
                reason = str(error).partition('\n')[0][:_REASON]  # its other lines show an excerpt of the file
                raise ValueError(f'results must be complete JSON, got an error after {number} detections: {reason}'
                                 ) from None
    if shallow.too_deep:
        raise ValueError(f'results must have at most {DEEPEST} nested lists and objects, got more')


class _ShallowFile:
    """JSON file that ends before the first block that is nested too deeply.

    ijson stores the path to each open list and object, which takes memory quadratic in the depth. Counting the brackets
    of a whole block is faster than counting ijson's events.

    Attributes:
        too_deep: True after a block that is nested too deeply.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.too_deep = False
        self._file = file
        self._scan = DepthScan()

    def read(self, size: int = -1) -> bytes:
        """Read a block, or nothing if it is nested too deeply."""
        block = self._file.read(size)
        self._scan.add(block)
        self.too_deep = self._scan.deepest > DEEPEST
        return b'' if self.too_deep else block
