"""Checks for hooks and customized convolutions."""

from __future__ import annotations

from typing import TypeGuard

from torch import nn
from torch.nn.modules import module as torch_module

# torch modifies these mappings in place
_GLOBAL_HOOKS = [getattr(torch_module, f'_global_{kind}_hooks') for kind in (
    'backward_pre', 'backward', 'forward_pre', 'forward')]


def is_plain_conv(conv: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Return True for a zero-padded ``torch.nn.Conv2d`` without parametrizations and without a replaced forward."""
    return type(conv) is nn.Conv2d and conv.padding_mode == 'zeros' and 'forward' not in conv.__dict__


def has_global_hooks() -> bool:
    """Return True if global module hooks are registered. Only newer versions of torch have a function for this."""
    return any(_GLOBAL_HOOKS)


def has_own_hooks(module: nn.Module) -> bool:
    """Return True if hooks are registered on the module."""
    return bool(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks
                or module._backward_pre_hooks)


def has_hooks(module: nn.Module) -> bool:
    """Return True if the module has hooks or global module hooks are registered."""
    return has_own_hooks(module) or has_global_hooks()
