"""Suggestions for misspelled types and arguments of hosts."""

from __future__ import annotations

import pytest
from mmengine.registry import DATASETS, MODELS, DefaultScope

from hrnet_plugin.cli.errors import one_line


def message_of(registry, **cfg):
    with DefaultScope.overwrite_default_scope('mmdet'), pytest.raises((KeyError, TypeError)) as raised:
        registry.build(cfg)
    return one_line(raised.value)


@pytest.mark.usefixtures('mmdet_scope')
@pytest.mark.parametrize(('registry', 'cfg', 'suggestion'), [
    (MODELS, dict(type='FasterRCN'), ' Did you mean FasterRCNN?'),
    (MODELS, dict(type='HRFNP'), ' Did you mean HRFPN?'),
    (DATASETS, dict(type='CocoDatset'), ' Did you mean CocoDataset?'),
    (MODELS, dict(type='FPN', in_channel=[3], out_channels=3, num_outs=1), ' Did you mean in_channels?'),
    (MODELS, dict(type='FCOS', arch='w18'), ' It is an argument of the backbone: set model.backbone.arch'),
])
def test_the_closest_name_is_suggested(registry, cfg, suggestion):
    assert message_of(registry, **cfg).endswith(suggestion)


@pytest.mark.usefixtures('mmdet_scope')
def test_other_names_get_no_suggestion():
    assert 'Did you mean' not in message_of(MODELS, type='Xyzzyx')
    assert 'backbone' not in message_of(MODELS, type='FCOS', unheard=1)


def test_mean_and_std_of_other_channels():
    from mmengine.model import ImgDataPreprocessor
    with pytest.raises(AssertionError) as raised:
        ImgDataPreprocessor(mean=[1.] * 4, std=[1.] * 4)
    assert one_line(raised.value).endswith('set mean and std of model.data_preprocessor to one value each')


def test_datasets_without_samples():
    from mmengine.dataset import BaseDataset
    with pytest.raises(ValueError, match='need at least one array') as raised:
        type('Empty', (BaseDataset, ), dict(load_data_list=lambda self: []))()
    assert one_line(raised.value).endswith('A dataset has no samples: hrnet check CONFIG names it')
