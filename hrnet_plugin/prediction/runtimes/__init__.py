"""Runtimes of exported models, one per file format."""
