"""Experiments: ablation studies, benchmarks, and a generated sample set.

This package may import ``evaluation`` and everything that ``evaluation`` may import.
"""
