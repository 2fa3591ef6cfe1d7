"""Inference graphs in place of the networks of whole models."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from conftest import randomize, relative_error
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.config_files import find_config
from hrnet_plugin.export.export import make_exportable
from hrnet_plugin.export.metadata import describe_export
from hrnet_plugin.export.parity.gate import check_parity
from hrnet_plugin.export.parity.reference import Reference
from hrnet_plugin.export.rewriting import ExportableMerge, ExportableNetwork, rewrite_networks
from hrnet_plugin.export.targets.onnx import OnnxTarget


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


def test_stock_networks_of_mmseg_export_for_all_sizes():
    pytest.importorskip('mmseg.models')
    pytest.importorskip('onnxruntime')
    path = Path(find_spec('mmseg').origin).parent / '.mim/configs/hrnet/fcn_hr18s_4xb2-40k_cityscapes-512x1024.py'
    config = Config.fromfile(str(path))
    del config.model.pretrained
    config.model.backbone.norm_cfg = config.model.decode_head.norm_cfg = dict(type='BN')
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = randomize(MODELS.build(config.model)).eval()
    exportable = make_exportable(config, model, 'network')
    metadata = describe_export(config, model, '', exportable.adapter, 'network')
    files = OnnxTarget().export(exportable, torch.zeros(1, 3, 64, 96), metadata)
    check_parity(OnnxTarget().load(files), Reference(config, model, metadata), metadata)
