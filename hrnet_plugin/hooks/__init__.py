"""Hooks of mmengine's runner."""

from hrnet_plugin.hooks.complete_load import CompleteLoadHook
from hrnet_plugin.hooks.fast_form import FastFormHook
from hrnet_plugin.hooks.random_state import RandomStateHook

__all__ = ['CompleteLoadHook', 'FastFormHook', 'RandomStateHook']
