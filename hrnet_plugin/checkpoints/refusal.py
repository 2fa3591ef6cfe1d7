"""The error of values in a checkpoint that are not read."""


class RefusedError(ValueError):
    """Value that a checkpoint describes as nobody writes it, or that is not allowed in one."""
