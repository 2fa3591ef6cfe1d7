"""Text of checkpoints in messages and in terminals."""

from __future__ import annotations

MAX_LENGTH = 100


def printable(text: str, length: int = MAX_LENGTH) -> str:
    r"""Return text of a file with escaped control characters, and shortened.

    >>> printable('conv1\x1b[31m\n')
    'conv1\\x1b[31m\\n'

    Args:
        text: Text of any kind, e.g. a state-dict key.
        length: Maximum number of characters of the text. Default: 100.
    """
    short = text if len(text) <= length else f'{text[:length - 3]}...'
    return ''.join(letter if letter.isprintable() else letter.encode('unicode_escape').decode() for letter in short)
