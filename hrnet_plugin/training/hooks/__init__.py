"""Hooks for mmengine's runner."""

from hrnet_plugin.training.hooks.atomic_checkpoint import AtomicCheckpointHook
from hrnet_plugin.training.hooks.complete_load import CompleteLoadHook
from hrnet_plugin.training.hooks.frozen_norm_check import FrozenNormCheckHook
from hrnet_plugin.training.hooks.inference_engine import InferenceEngineHook
from hrnet_plugin.training.hooks.preemption import PreemptionHook
from hrnet_plugin.training.hooks.process_log import ProcessLogHook
from hrnet_plugin.training.hooks.random_state import RandomStateHook
from hrnet_plugin.training.hooks.sync_norm_statistics import SyncNormStatisticsHook

__all__ = ['AtomicCheckpointHook', 'CompleteLoadHook', 'FrozenNormCheckHook', 'InferenceEngineHook', 'PreemptionHook',
           'ProcessLogHook', 'RandomStateHook', 'SyncNormStatisticsHook']
