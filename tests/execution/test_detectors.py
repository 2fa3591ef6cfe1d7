"""Whole models with the torch engine: unchanged detections, also without any."""

from __future__ import annotations

import copy

import pytest
import torch
from catalogue import host
from conftest import randomize
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin import cfg
from hrnet_plugin.config_files import read_config
from hrnet_plugin.execution import is_optimized, optimize_for_inference


def built(name):
    """Return an untrained model of the sample set with random norm statistics."""
    pytest.importorskip(host(name))
    config = read_config(cfg(name))
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = MODELS.build(config.model).eval()
    for part in ('backbone', 'neck'):
        if getattr(model, part, None) is not None:
            randomize(getattr(model, part))
    return model


@pytest.mark.parametrize('num_proposals', [0, 3])
@pytest.mark.parametrize('name', ['faster-rcnn_hrnetv2p-w18-small-v1_sample', 'mask-rcnn_hrnetv2p-w18-small-v1_sample'])
@torch.no_grad()
def test_proposals_of_a_detector(name, num_proposals):
    from mmdet.structures import DetDataSample
    from mmengine.structures import InstanceData
    model = built(name)
    x = torch.randn(1, 3, 128, 160)
    boxes = torch.tensor([[4., 4., 60., 60.], [20., 30., 90., 100.], [0., 0., 159., 127.]])[:num_proposals]
    proposals = InstanceData(bboxes=boxes, scores=torch.ones(num_proposals),
                             labels=torch.zeros(num_proposals, dtype=torch.long))
    sample = DetDataSample(metainfo=dict(img_shape=(128, 160), ori_shape=(128, 160), scale_factor=(1., 1.)))
    model.roi_head.test_cfg.score_thr = 0.
    results = []
    for twin in (model, optimize_for_inference(copy.deepcopy(model))):
        found, = twin.roi_head.predict(twin.extract_feat(x), [proposals], [sample], rescale=False)
        results.append(found)
    assert is_optimized(twin)
    eager, engine = results
    assert len(eager) == len(engine)
    assert (len(eager) > 0) == (num_proposals > 0)
    assert torch.allclose(eager.scores, engine.scores, atol=1e-4)
    assert torch.allclose(eager.bboxes, engine.bboxes, atol=1e-2)


@pytest.mark.parametrize('name', ['td-hm_hrnetv1-w18-small-v1_sample', 'fcn_hrnetv2-w18-small-v1_sample',
                                  'ocr_hrnetv2-w18-small-v1_sample', 'fcos_hrnetv2p-w18-small-v1_sample'])
@torch.no_grad()
def test_maps_of_other_models(name):
    model = built(name)
    x = torch.randn(2, 3, 128, 96)
    results = []
    for twin in (model, optimize_for_inference(copy.deepcopy(model))):
        out = twin(x, None, mode='tensor')
        results.append([part for level in ([out] if isinstance(out, torch.Tensor) else out)
                        for part in ([level] if isinstance(level, torch.Tensor) else level)])
    for eager, engine in zip(*results):
        assert torch.allclose(eager, engine, atol=1e-4 * eager.abs().max().item())
