"""Detection of tracers: tools that run a network to record it, not to compute with it."""

from __future__ import annotations

import torch
from torch.fx import _symbolic_trace
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

_TRACING_MODES = ('FakeTensorMode', 'FunctionalTensorMode', 'ProxyTorchDispatchMode')

# the second one is that of torch 2.1, and torch.compile takes both for True
_is_compiling = getattr(torch.compiler, 'is_compiling', None) or torch._utils.is_compiling
# torch 2.1 lacks the first one, newer ones warn about the second one
_is_fx_tracing = getattr(_symbolic_trace, 'is_fx_symbolic_tracing', _symbolic_trace.is_fx_tracing)


def is_tracing() -> bool:
    """Return True under torch.compile, torch.export, torch.jit, torch.fx, torch.func or FakeTensor.

    The answer depends on no tensor.
    """
    # torch.compile evaluates the first term while it traces, and never reaches the others
    return bool(_is_compiling() or torch.jit.is_tracing() or _is_fx_tracing()
                or torch._C._functorch.peek_interpreter_stack() is not None or _has_tracing_mode())


def _has_tracing_mode() -> bool:
    return bool(torch._C._len_torch_dispatch_stack()) and any(
        type(mode).__name__ in _TRACING_MODES for mode in _get_current_dispatch_mode_stack())
