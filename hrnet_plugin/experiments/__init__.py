"""Experiments: ablation studies, benchmarks, and a generated sample set.

It may import evaluation and all that evaluation may import.
"""
