"""Tools that read and write checkpoints, in a folder of their own: ``inspect`` would hide Python's from the others."""
