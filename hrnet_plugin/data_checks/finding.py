"""Problem of a dataset."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Problem of a dataset.

    Attributes:
        is_error: Whether training or evaluation fails, or is wrong. Single objects that mmdet, mmpose or the COCO API
            leave out are no error.
        message: One line with the file, IDs, the consequence, and how to fix it.
    """

    is_error: bool
    message: str
