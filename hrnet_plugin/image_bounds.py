"""Bounds for images of any origin, before their pixels are decoded."""

from __future__ import annotations

import struct
from pathlib import Path

# a file of less than 1 MiB with more pixels is broken or made to exhaust memory
_MOST_PIXELS, _SMALL_FILE = 1 << 26, 1 << 20
_PNG = b'\x89PNG\r\n\x1a\n'
_CHUNK = struct.Struct('>I4s')  # length and type; a checksum of 4 bytes follows the content
_CHECKSUM_BYTES = 4


def check_expansion(path: Path, pixels: int) -> None:
    """Raise an error for a small file of a huge image, whose decoding would exhaust memory.

    Args:
        path: Image file.
        pixels: Number of pixels that the header claims.

    Raises:
        ValueError: If the file is below 1 MiB, and the image has more than 2^26 pixels.
    """
    if pixels > _MOST_PIXELS and path.stat().st_size < _SMALL_FILE:
        raise ValueError(f'a file of {path.stat().st_size} bytes must have at most {_MOST_PIXELS} pixels')


def check_png_chunks(path: Path) -> None:
    """Raise an error for a PNG file with a chunk beyond its end. OpenCV allocates the claimed length of a chunk.

    Args:
        path: Image file. Other formats are not checked.

    Raises:
        ValueError: If a chunk exceeds the file.
    """
    size = path.stat().st_size
    with path.open('rb') as file:
        if file.read(len(_PNG)) != _PNG:
            return
        while len(header := file.read(_CHUNK.size)) == _CHUNK.size:
            length, kind = _CHUNK.unpack(header)
            left = size - file.tell() - _CHECKSUM_BYTES
            if length > left:
                raise ValueError(f'a PNG chunk has {length} bytes, but the file ends after {max(left, 0)} of them')
            if kind == b'IEND':
                return
            file.seek(length + _CHECKSUM_BYTES, 1)


def png_pixels(path: Path) -> int:
    """Return the number of pixels in the header of a PNG file, or 0 for other files."""
    with path.open('rb') as file:
        start = file.read(24)
    if not start.startswith(_PNG) or len(start) < 24:
        return 0
    width, height = struct.unpack('>II', start[16:])
    return int(width * height)
