"""Hooks of mmengine's runner."""

from hrnet_plugin.hooks.complete_load import CompleteLoadHook
from hrnet_plugin.hooks.fast_form import FastFormHook
from hrnet_plugin.hooks.random_state import RandomStateHook
from hrnet_plugin.hooks.record import RecordHook

__all__ = ['CompleteLoadHook', 'FastFormHook', 'RandomStateHook', 'RecordHook']
