"""Execution of networks: training-time variants and inference engines. ``models`` does not import this package."""

from hrnet_plugin.execution.folding import FoldedExecution
from hrnet_plugin.execution.inference import is_optimized, optimize_for_inference, restore_eager
from hrnet_plugin.execution.recomputing import RecomputingExecution

__all__ = ['FoldedExecution', 'RecomputingExecution', 'is_optimized', 'optimize_for_inference', 'restore_eager']
