"""Hooks of mmengine's runner."""

from hrnet_plugin.hooks.atomic_checkpoint import AtomicCheckpointHook
from hrnet_plugin.hooks.complete_load import CompleteLoadHook
from hrnet_plugin.hooks.frozen_norm_check import FrozenNormCheckHook
from hrnet_plugin.hooks.inference_engine import InferenceEngineHook
from hrnet_plugin.hooks.random_state import RandomStateHook
from hrnet_plugin.hooks.record import RecordHook
from hrnet_plugin.hooks.sync_norm_statistics import SyncNormStatisticsHook

__all__ = ['AtomicCheckpointHook', 'CompleteLoadHook', 'FrozenNormCheckHook', 'InferenceEngineHook', 'RandomStateHook',
           'RecordHook', 'SyncNormStatisticsHook']
