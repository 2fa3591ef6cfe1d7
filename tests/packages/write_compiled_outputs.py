"""Store signatures and outputs of mmcv's compiled operators, for the tests where mmcv is not compiled.

    python tests/packages/write_compiled_outputs.py

Runs the tests of mmcv_torch_ops in an environment with a compiled mmcv. Writes data/compiled_outputs.npz and
data/compiled_signatures.json.
"""

from __future__ import annotations

import json
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

TESTS = Path(__file__).resolve().parent / 'mmcv_ops'
sys.path[:0] = [str(TESTS), str(TESTS.parents[2] / 'packages' / 'mmcv_ops')]

import mmcv_ops_helpers as helpers  # noqa: E402
import mmcv_torch_ops  # noqa: E402


def arrays(outputs):
    """Return tensors by the test that they are of, and their index: float32 or int32."""
    return {f'{test}:{index}': tensor.numpy().astype(np.float32 if tensor.is_floating_point() else np.int32)
            for test, tensors in outputs.items() for index, tensor in enumerate(tensors)}


def main():
    if not helpers.is_compiled():
        raise SystemExit(f'mmcv must be compiled, got {import_module("mmcv._ext").__file__}')
    helpers.DATA.mkdir(exist_ok=True)
    names = [name for name in mmcv_torch_ops.__all__ if callable(getattr(mmcv_torch_ops, name))]
    helpers.SIGNATURES.write_text(json.dumps({name: helpers.read_signature(name) for name in names}, indent=1) + '\n')
    helpers.recorded = {}
    status = pytest.main(['-q', '--noconftest', '-p', 'no:cacheprovider', str(TESTS)])
    if status:
        return int(status)
    np.savez_compressed(helpers.OUTPUTS, **arrays(helpers.recorded))
    return 0


if __name__ == '__main__':
    sys.exit(main())
