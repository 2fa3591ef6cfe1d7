"""Stand-ins for the operators of mmcv that this package does not implement."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NoReturn

Operator = Callable[..., Any]

# --no-build-isolation: without torch, mmcv is built without operators. --no-cache-dir: pip may have cached a wheel for
# another torch.
COMPILE_MMCV = ("pip uninstall -y mmcv-lite mmcv-torch-ops && pip install 'setuptools<81' wheel ninja psutil && "
                'MMCV_WITH_OPS=1 pip install --no-build-isolation --no-cache-dir --no-binary mmcv mmcv==2.1.0')


@cache
def missing_operator(name: str) -> Operator:
    """Return a function that raises NotImplementedError when it is called.

    ``mmcv.ops`` reads all names of ``mmcv._ext`` at import, so the error must not be raised before the call.

    Args:
        name: Name of the operator.

    Raises:
        AttributeError: ``name`` starts with an underscore, so it is not an operator.
    """
    if name.startswith('_'):
        raise AttributeError(f'name must be an operator of mmcv, got {name!r}')

    def operator(*args: Any, **kwargs: Any) -> NoReturn:
        raise NotImplementedError(f'mmcv_torch_ops has no operator {name}. Compile mmcv, which requires a C++ compiler '
                                  f'and takes up to half an hour: {COMPILE_MMCV}')

    operator.__name__ = operator.__qualname__ = name
    return operator
