"""Bounded reading of JSON, which may come from anyone.

Python's reader accepts any depth up to a limit that differs between versions, repeated keys and NaN. Files are read
only up to a size, and pipes and devices, which may have no end, are not read.
"""

from __future__ import annotations

import gc
import json
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from hrnet_plugin.json_depth import DepthScan

#: Maximum number of bytes of settings, records and reports. A comparison of a thousand classes takes 20 MiB.
RECORD_BYTES = 64 * 2**20
#: Maximum number of bytes of annotations, results and logs. The annotations of COCO take 0.5 GiB.
DATA_BYTES = 2 * 2**30
#: Maximum nesting depth of settings, records and reports.
RECORD_DEPTH = 64
#: Maximum nesting depth of annotations and results. Tools that write more into unused entries are unknown.
DATA_DEPTH = 512

_Object = dict[str, Any]
_EXPORT = 'Export it again.'
_BLOCK = 2**20  # bytes of a depth scan at a time
_SHOWN = 60  # characters of a key in a message
_NOT_FILES = {stat.S_IFDIR: 'a folder', stat.S_IFIFO: 'a pipe', stat.S_IFSOCK: 'a socket', stat.S_IFCHR: 'a device',
              stat.S_IFBLK: 'a device'}


class _Refused(ValueError):
    """JSON that the parser accepts and this module does not."""


def read_json(path: str | Path, what: str = 'JSON', *, max_bytes: int | None = RECORD_BYTES,
              max_depth: int = RECORD_DEPTH, allow_nan: bool = False, unique_keys: bool = True,
              object_hook: Callable[[_Object], Any] | None = None) -> Any:
    """Read a JSON file. Its values are not checked.

    Args:
        path: File in UTF-8, with or without a byte order mark.
        what: Description of the expected content for messages, e.g. 'a list of detections'.
        max_bytes: Maximum size of the file. None is unlimited, for files that the user's own config names.
        max_depth: Maximum number of nested lists and objects.
        allow_nan: Whether to accept NaN, Infinity and -Infinity. Only for readers that check each number.
        unique_keys: Whether to refuse keys that an object has twice. Otherwise the last value counts.
        object_hook: Replaces each object, innermost first.

    Raises:
        OSError: If the file does not exist or is not readable.
        ValueError: If it is no regular file, too large, or not JSON within the limits. The message has one line.
    """
    return parse_json(read_bytes(path, what, max_bytes=max_bytes), path, what, max_depth=max_depth,
                      allow_nan=allow_nan, unique_keys=unique_keys, object_hook=object_hook, fix=_EXPORT)


def read_object(path: str | Path, what: str = 'a JSON object', *, allow_nan: bool = False) -> dict[str, Any]:
    """Read a JSON file of an object with the limits of records. Arguments and errors are those of :func:`read_json`."""
    return parse_object(read_bytes(path, what, max_bytes=RECORD_BYTES), path, what, allow_nan=allow_nan,
                        fix=_EXPORT)


def read_bytes(path: str | Path, what: str, *, max_bytes: int | None) -> bytes:
    """Read a regular file, of limited size unless ``max_bytes`` is None. If it grows meanwhile, the rest is left out.

    Raises:
        OSError: If the file does not exist or is not readable.
        ValueError: If it is no regular file, or too large.
    """
    check_regular(path, what)
    with open(path, 'rb') as file:
        size = Path(path).stat().st_size
        if max_bytes is not None and size > max_bytes:
            raise ValueError(f'{path} must be {what} of at most {max_bytes} bytes, got {size}. Split it, or remove the '
                             'entries that are not needed.')
        return file.read(size)


def check_regular(path: str | Path, what: str) -> None:
    """Raise an error for a folder, a pipe or a device. Opening a pipe would wait for its writer.

    Raises:
        OSError: If the file does not exist.
        ValueError: If it is no regular file.
    """
    mode = Path(path).stat().st_mode
    if not stat.S_ISREG(mode):
        fix = '. Write it to a file first.' if stat.S_ISFIFO(mode) else ''
        raise ValueError(f'{path} must be {what}, got {_NOT_FILES.get(stat.S_IFMT(mode), "no regular file")}{fix}')


def parse_json(text: str | bytes, source: str | Path, what: str = 'JSON', *, max_depth: int = RECORD_DEPTH,
               allow_nan: bool = False, unique_keys: bool = True, object_hook: Callable[[_Object], Any] | None = None,
               fix: str = '') -> Any:
    """Parse JSON.

    Args:
        text: Text, or its bytes in UTF-8, with or without a byte order mark.
        source: File or column for messages.
        fix: Sentence for the message if the text is cut, or has another syntax.

    Other arguments and errors are those of :func:`read_json`.

    Raises:
        ValueError: If the text is not JSON within the limits. The message has one line.
    """
    def build(pairs: list[tuple[str, Any]]) -> Any:
        found = dict(pairs)
        if unique_keys and len(found) != len(pairs):
            (key, _), = Counter(key for key, _ in pairs).most_common(1)
            raise _Refused(f'the key {key[:_SHOWN]!r} twice in an object')
        return found if object_hook is None else object_hook(found)

    try:
        _check_depth(text, max_depth)
        decoded = text if isinstance(text, str) else text.decode('utf-8-sig')
        del text  # annotations take gigabytes
        with _no_garbage_collection():
            return json.loads(decoded, object_pairs_hook=build, parse_constant=None if allow_nan else _refuse_constant)
    except (RecursionError, ValueError) as error:
        raise ValueError(f'{source} must be {what}, got {_cause(error, max_depth, fix)}') from None


def parse_object(text: str | bytes, source: str | Path, what: str = 'a JSON object', *,
                 allow_nan: bool = False, fix: str = '') -> dict[str, Any]:
    """Parse a JSON object with the limits of records. Arguments and errors are those of :func:`parse_json`."""
    found = parse_json(text, source, what, allow_nan=allow_nan, fix=fix)
    if not isinstance(found, dict):
        raise ValueError(f'{source} must be {what}, got {"null" if found is None else f"a {type(found).__name__}"}')
    return found


def _check_depth(text: str | bytes, most: int) -> None:
    """Raise RecursionError for deep nesting, at the same depth in all versions of Python."""
    content = text.encode('utf-8', 'surrogatepass') if isinstance(text, str) else text
    if content.count(b'[') + content.count(b'{') <= most:  # a log has many short lines
        return
    scan = DepthScan()
    for start in range(0, len(content), _BLOCK):
        scan.add(content[start:start + _BLOCK])
        if scan.deepest > most:
            raise RecursionError


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Disable the search for reference cycles, which JSON does not have. It takes a third of the time of parsing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _refuse_constant(name: str) -> NoReturn:
    raise _Refused(f'{name}, which is no number of JSON')


def _cause(error: RecursionError | ValueError, max_depth: int, fix: str) -> str:
    """Describe an error of parsing in words."""
    if isinstance(error, RecursionError):
        return f'more than {max_depth} nested lists and objects'
    if isinstance(error, UnicodeDecodeError):
        byte = f'{error.object[error.start]:#04x} at position {error.start}'
        return f'text that is not UTF-8: byte {byte}. Save it as UTF-8.'
    if isinstance(error, json.JSONDecodeError):
        words = f'invalid JSON: {error}' if error.doc and not error.doc.isspace() else 'no text'
        return f'{words}. {fix}' if fix else words
    return str(error) if isinstance(error, _Refused) else 'an integer of thousands of digits'
