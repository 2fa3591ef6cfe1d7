"""Error for values in a checkpoint that are not loaded."""


class RefusedError(ValueError):
    """Value in a checkpoint that is malformed or not allowed."""
