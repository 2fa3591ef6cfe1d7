"""What a module does beyond and instead of its class's forward."""

from __future__ import annotations

from typing import TypeGuard

from torch import nn
from torch.nn.modules import module as torch_module

# torch's mappings of them, which it changes and never replaces
_GLOBAL_HOOKS = [getattr(torch_module, f'_global_{kind}_hooks') for kind in (
    'backward_pre', 'backward', 'forward_pre', 'forward')]


def is_plain_conv(conv: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Return True if a convolution is torch's own, padded with zeros, without parametrizations or another forward."""
    return type(conv) is nn.Conv2d and conv.padding_mode == 'zeros' and 'forward' not in conv.__dict__


def has_global_hooks() -> bool:
    """Return True if there are hooks of all modules. torch has a function for it only in newer versions."""
    return any(_GLOBAL_HOOKS)


def has_own_hooks(module: nn.Module) -> bool:
    """Return True if hooks are registered on the module."""
    return bool(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks
                or module._backward_pre_hooks)


def has_hooks(module: nn.Module) -> bool:
    """Return True if calling a module runs hooks, its own or those of all modules."""
    return has_own_hooks(module) or has_global_hooks()
