"""Own checkpoints load with torch's protection on; anything else stays refused."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub

from hrnet_plugin.checkpoints.safe_globals import allow_mmengine_checkpoints, history_buffer_method

allow_mmengine_checkpoints()


def test_what_mmengine_writes_loads(tmp_path):
    hub = MessageHub('test_safe_globals')
    for value in range(5):
        hub.update_scalar('train/loss', float(value), 2)
    hub.update_info('iter', 7)
    hub.update_info('best', np.float64(0.5))
    hub.update_info('counts', np.arange(3))
    torch.save(dict(state_dict=dict(w=torch.ones(2)), message_hub=hub.state_dict()), tmp_path / 'epoch.pth')
    loaded = torch.load(tmp_path / 'epoch.pth', weights_only=True)
    buffer = loaded['message_hub']['log_scalars']['train/loss']
    assert isinstance(buffer, HistoryBuffer)
    assert buffer.statistics('mean') == 1.0  # 10 over a count of 10
    assert buffer.current() == 4.0
    assert loaded['message_hub']['runtime_info']['best'] == 0.5


class _Runs:

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize('attack', [
    (os.system, 'touch {}'), (eval, 'open({!r}, "w")'), (getattr, os, 'system'), (getattr, HistoryBuffer, '__init__'),
    (getattr, HistoryBuffer, 'update'), (getattr, 'x', 'format'), (open, '{}', 'w')
], ids=str)
def test_code_in_a_checkpoint_is_refused_and_does_not_run(attack, tmp_path):
    function, *args = attack
    victim = tmp_path / 'victim'
    args = [arg.format(str(victim)) if isinstance(arg, str) else arg for arg in args]
    if os in args:
        args[args.index(os)] = HistoryBuffer  # a module cannot be pickled; a class can
    torch.save(dict(state_dict={}, extra=_Runs(function, *args)), tmp_path / 'bad.pth')
    with pytest.raises((pickle.UnpicklingError, ValueError)):
        torch.load(tmp_path / 'bad.pth', weights_only=True)
    assert not victim.exists()


@pytest.mark.parametrize(('owner', 'name'), [(os, 'system'), (HistoryBuffer, '__class__'), (HistoryBuffer(), 'mean'),
                                             (HistoryBuffer, 'statistics'), (dict, 'min')])
def test_the_stand_in_serves_four_methods_of_one_class(owner, name):
    with pytest.raises(ValueError, match='refused to read'):
        history_buffer_method(owner, name)
    assert history_buffer_method(HistoryBuffer, 'min') is HistoryBuffer.min


def test_getattr_itself_is_not_allowed():
    assert getattr not in torch.serialization.get_safe_globals()
