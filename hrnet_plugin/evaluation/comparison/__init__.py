"""Comparison of two models from their results on the same images."""
