"""Hooks of mmengine's runner."""

from hrnet_plugin.hooks.random_state import RandomStateHook

__all__ = ['RandomStateHook']
