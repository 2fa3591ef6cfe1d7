"""Defaults of each host's network, against the hosts' own signatures."""

from __future__ import annotations

import inspect

import pytest

from hrnet_plugin.hosts import HOSTS


@pytest.mark.parametrize('host', HOSTS)
def test_norm_eval_is_the_hosts(host):
    upstream = pytest.importorskip(f'{host}.models.backbones.hrnet').HRNet
    assert inspect.signature(upstream).parameters['norm_eval'].default == HOSTS[host].network.norm_eval


def test_what_the_tasks_need():
    assert [name for name, host in HOSTS.items() if not host.network.multiscale_output] == ['mmpose']
    assert [name for name, host in HOSTS.items() if host.network.upsampling == 'bilinear'] == ['mmseg']
