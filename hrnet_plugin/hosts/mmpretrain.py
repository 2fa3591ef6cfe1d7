"""Adapter of mmpretrain: image classification."""

from __future__ import annotations

from hrnet_plugin.hosts import mmpretrain_metrics
from hrnet_plugin.hosts.host import Host
from hrnet_plugin.hosts.network_defaults import NetworkDefaults

MMPRETRAIN = Host(
    name='mmpretrain',
    distribution='mmpretrain',
    install_command='pip install mmpretrain',
    task='classification',
    network=NetworkDefaults(),
    metrics=tuple(mmpretrain_metrics.metrics()),
    datasets={'ImageNet': 'ImageNet-1K'},
    splits={('ImageNet-1K', 'val'): (50000, )},
    methods={'ImageClassifier': 'classification', 'HRNetClassifier': 'classification'},
    drawing=('enable', ))  # its out_dir is not below the log folder
