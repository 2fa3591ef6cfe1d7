"""Suggestions for misspelled names."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(word: str, known: Iterable[str], count: int = 1) -> str:
    """Return a question with the closest known names, or an empty string if none is close.

    Args:
        word: Unknown name.
        known: Valid names.
        count: Maximum number of names in the question.
    """
    names = {name.lower(): name for name in known}
    close = [names[name] for name in get_close_matches(word.lower(), names, n=count, cutoff=0.6)]
    return f' Did you mean {" or ".join(close)}?' if close else ''
