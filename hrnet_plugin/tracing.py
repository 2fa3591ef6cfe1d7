"""Detection of tracers, i.e. tools that run a network to record its operations."""

from __future__ import annotations

import torch
from torch.fx import _symbolic_trace
from torch.utils._python_dispatch import _get_current_dispatch_mode_stack

_TRACING_MODES = ('FakeTensorMode', 'FunctionalTensorMode', 'ProxyTorchDispatchMode')

# torch 2.1 has the second function; torch.compile evaluates both to True
_is_compiling = getattr(torch.compiler, 'is_compiling', None) or torch._utils.is_compiling
# torch 2.1 lacks the first function; newer versions deprecate the second
_is_fx_tracing = getattr(_symbolic_trace, 'is_fx_symbolic_tracing', _symbolic_trace.is_fx_tracing)


def is_tracing() -> bool:
    """Return True under torch.compile, torch.export, torch.jit, torch.fx, torch.func or FakeTensor.

    The result does not depend on any tensor.
    """
    # torch.compile evaluates the first term only, and does not trace the others
    return bool(_is_compiling() or torch.jit.is_tracing() or _is_fx_tracing()
                or torch._C._functorch.peek_interpreter_stack() is not None or _has_tracing_mode())


def _has_tracing_mode() -> bool:
    return bool(torch._C._len_torch_dispatch_stack()) and any(
        type(mode).__name__ in _TRACING_MODES for mode in _get_current_dispatch_mode_stack())
