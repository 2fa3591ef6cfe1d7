"""Adapter of mmpretrain: image classification."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hrnet_plugin.hosts.host import Host, Metric, NetworkDefaults

if TYPE_CHECKING:
    pass


MMPRETRAIN = Host(
    name='mmpretrain',
    distribution='mmpretrain',
    install_command='pip install mmpretrain',
    task='classification',
    network=NetworkDefaults(),
    metrics=(Metric(name='top-1', key='accuracy/top1', unit='percent', is_drawn=True),
             Metric(name='top-5', key='accuracy/top5', unit='percent', is_drawn=True)),
    metrics_title='accuracy (%)',
    datasets={'ImageNet': 'ImageNet-1K'},
    splits={('ImageNet-1K', 'val'): (50000, )},
    methods={'ImageClassifier': 'classification', 'HRNetClassifier': 'classification'},
    drawing=('enable', ))  # its out_dir is not below the log folder
