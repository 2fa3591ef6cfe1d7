"""Context without output of evaluators."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator

from mmengine.logging import MMLogger


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide what evaluators and loaders of annotations print and log, since the report has it."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
