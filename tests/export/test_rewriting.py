"""Inference graphs in place of the networks of whole models."""

from __future__ import annotations

import pytest
import torch
from conftest import randomize, relative_error
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.config_files import find_config
from hrnet_plugin.export.rewriting import ExportableMerge, ExportableNetwork, rewrite_networks


@pytest.mark.parametrize(('name', 'merges'), [
    ('fcn_hrnetv2-w18-small-v1_sample', 1), ('ocr_hrnetv2-w18-small-v1_sample', 1),
    ('td-hm_hrnetv1-w18-small-v1_sample', 0), ('td-hm_hrnetv2-w18-small-v1_sample', 1)])
@torch.no_grad()
def test_rewritten_models_have_the_outputs_of_the_model(name, merges):
    config = find_config(name)
    pytest.importorskip(f'{config.default_scope}.models')
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = randomize(MODELS.build(config.model)).eval()
    rewritten = rewrite_networks(model)
    assert isinstance(rewritten.backbone, ExportableNetwork)
    assert sum(isinstance(part, ExportableMerge) for part in rewritten.modules()) == merges
    images = torch.randn(2, 3, 75, 100)
    assert relative_error(rewritten(images, None, mode='tensor'), model(images, None, mode='tensor')) < 1e-5
    assert not isinstance(model.backbone, ExportableNetwork)
