"""Whole models in fast form: what their heads find does not change, also where there is nothing to be found."""

from __future__ import annotations

import copy

import pytest
import torch
from catalogue import host
from conftest import randomize
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin import cfg
from hrnet_plugin.config_files import read_config
from hrnet_plugin.runtime import make_fast
from hrnet_plugin.runtime.form import FastHRNet


def built(name):
    """A model of the sample set, untrained, with norms that have seen something."""
    pytest.importorskip(host(name))
    config = read_config(cfg(name))
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model).eval()
    for part in ('backbone', 'neck'):
        if getattr(model, part, None) is not None:
            randomize(getattr(model, part))
    return model


@pytest.mark.parametrize('regions', [0, 3])
@pytest.mark.parametrize('name', ['faster-rcnn_hrnetv2p-w18-small-v1_sample', 'mask-rcnn_hrnetv2p-w18-small-v1_sample'])
@torch.no_grad()
def test_regions_of_a_detector(name, regions):
    from mmdet.structures import DetDataSample
    from mmengine.structures import InstanceData
    model = built(name)
    x = torch.randn(1, 3, 128, 160)
    boxes = torch.tensor([[4., 4., 60., 60.], [20., 30., 90., 100.], [0., 0., 159., 127.]])[:regions]
    proposals = InstanceData(bboxes=boxes, scores=torch.ones(regions), labels=torch.zeros(regions, dtype=torch.long))
    sample = DetDataSample(metainfo=dict(img_shape=(128, 160), ori_shape=(128, 160), scale_factor=(1., 1.)))
    model.roi_head.test_cfg.score_thr = 0.
    results = []
    for form in (model, make_fast(copy.deepcopy(model))):
        found, = form.roi_head.predict(form.extract_feat(x), [proposals], [sample], rescale=False)
        results.append(found)
    assert type(form.backbone) is FastHRNet
    plain, fast = results
    assert len(plain) == len(fast)
    assert (len(plain) > 0) == (regions > 0)
    assert torch.allclose(plain.scores, fast.scores, atol=1e-4)
    assert torch.allclose(plain.bboxes, fast.bboxes, atol=1e-2)


@pytest.mark.parametrize('name', ['td-hm_hrnetv1-w18-small-v1_sample', 'fcn_hrnetv2-w18-small-v1_sample',
                                  'ocr_hrnetv2-w18-small-v1_sample', 'fcos_hrnetv2p-w18-small-v1_sample'])
@torch.no_grad()
def test_maps_of_other_models(name):
    model = built(name)
    x = torch.randn(2, 3, 128, 96)
    results = []
    for form in (model, make_fast(copy.deepcopy(model))):
        out = form(x, None, mode='tensor')
        results.append([part for level in ([out] if isinstance(out, torch.Tensor) else out)
                        for part in ([level] if isinstance(level, torch.Tensor) else level)])
    for plain, fast in zip(*results):
        assert torch.allclose(plain, fast, atol=1e-4 * plain.abs().max().item())
