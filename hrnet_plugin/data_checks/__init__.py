"""Checks of datasets before training: annotation files in COCO's format, and images.

This package may import ``evaluation`` and everything that ``evaluation`` may import.
"""
