"""Defaults of each host's network, against the hosts' own signatures."""

from __future__ import annotations

import inspect

import pytest

from hrnet_plugin.models.hosts import HOSTS


@pytest.mark.parametrize('host', HOSTS)
def test_norm_eval_is_the_hosts(host):
    upstream = pytest.importorskip(f'{host}.models.backbones.hrnet').HRNet
    assert inspect.signature(upstream).parameters['norm_eval'].default == HOSTS[host].norm_eval


def test_what_the_tasks_need():
    assert [host for host, defaults in HOSTS.items() if not defaults.multiscale_output] == ['mmpose']
    assert [host for host, defaults in HOSTS.items() if defaults.upsampling.mode == 'bilinear'] == ['mmseg']
