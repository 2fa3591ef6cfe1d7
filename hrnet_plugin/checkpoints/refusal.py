"""Errors for files that are no checkpoints, and for values in a checkpoint that are not loaded."""


class RefusedError(ValueError):
    """Value in a checkpoint that is malformed or not allowed."""


class NotACheckpointError(ValueError):
    """Description of a file that is no complete checkpoint. It continues a sentence that begins with the file name."""
