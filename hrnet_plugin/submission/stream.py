"""Reading detections one by one: as objects, those of all of test-dev need gigabytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_detections(file: str | Path) -> Iterator[Any]:
    """The elements of a JSON list, in memory that does not grow with it.

    Args:
        file: Its path.

    Raises:
        ImportError: If ijson is not installed.
        FileNotFoundError: If there is no such file.
        ValueError: If it is not JSON, not whole, or no list; the message says where it stops.
    """
    try:
        import ijson
    except ImportError:
        raise ImportError("submissions need ijson, which is not installed: pip install 'hrnet_plugin[leaderboard]'"
                          ) from None
    number = 0
    with open(file, 'rb') as opened:
        first = opened.read(4096).lstrip()
        if not first.startswith(b'['):
            raise ValueError(f'results must be a JSON list, got a file that begins with {first[:20]!r}')
        opened.seek(0)
        try:
            for element in ijson.items(opened, 'item', use_float=True):
                yield element
                number += 1
        except ijson.JSONError as error:
            raise ValueError(f'results must be whole JSON, got an error after {number} detections: {error}') from None
