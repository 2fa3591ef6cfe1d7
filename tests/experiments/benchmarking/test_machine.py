"""Description of the machine and the stack in a benchmark record."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from hrnet_plugin.evaluation.environment import describe, mmcv_operators


@pytest.mark.parametrize(('attributes', 'origin'), [
    (dict(ORIGIN='mmcv_torch_ops 0.1.0'), 'mmcv_torch_ops 0.1.0'), ({}, 'compiled'), (None, 'none')])
def test_origin_of_operators(attributes, origin, monkeypatch):
    extension = None  # importing it raises ImportError
    if attributes is not None:
        extension = ModuleType('mmcv._ext')
        vars(extension).update(attributes)
    monkeypatch.setitem(sys.modules, 'mmcv._ext', extension)
    assert mmcv_operators() == origin
    assert describe()['operators'] == origin
