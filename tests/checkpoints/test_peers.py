"""Checkpoints of the peers' own models: saved, read, mapped, loaded strictly into the plugin's; the outputs are equal.

Each peer builds its network from its own config, with its own backbone, neck and heads.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from conftest import randomize, relative_error
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.checkpoints.convert import from_plugin, to_plugin
from hrnet_plugin.checkpoints.families.recognition import recognize
from hrnet_plugin.checkpoints.file import read, write
from hrnet_plugin.config_files import cfg
from hrnet_plugin.models import HRNetClassifier

FACE = 'face_2d_keypoint/topdown_heatmap/wflw/td-hm_hrnetv2-w18_8xb64-60e_wflw-256x256.py'
POSE = 'body_2d_keypoint/topdown_heatmap/coco/td-hm_hrnet-w32_8xb64-210e_coco-256x192.py'

# host, its config, ours, the family
PEERS = {
    'Faster R-CNN': ('mmdet', 'hrnet/faster-rcnn_hrnetv2p-w18-1x_coco.py', 'faster-rcnn_hrnetv2p-w18_1x_coco',
                     'mmdet 2 and 3'),
    'Cascade Mask R-CNN': ('mmdet', 'hrnet/cascade-mask-rcnn_hrnetv2p-w18_20e_coco.py',
                           'cascade-mask-rcnn_hrnetv2p-w18_20e_coco', 'mmdet 2 and 3'),
    'HTC': ('mmdet', 'hrnet/htc_hrnetv2p-w18_20e_coco.py', 'htc_hrnetv2p-w18_20e_coco', 'mmdet 2 and 3'),
    'FCOS': ('mmdet', 'hrnet/fcos_hrnetv2p-w18-gn-head_4xb4-1x_coco.py', 'fcos_hrnetv2p-w18_1x_coco',
             'mmdet 2 and 3, one-stage detector'),
    'pose': ('mmpose', POSE, 'td-hm_hrnetv1-w32_210e_coco-256x192', 'mmpose 1'),
    'face': ('mmpose', FACE, 'td-hm_hrnetv2-w18_60e_wflw-256x256', 'mmpose 1, HRNetV2'),
    'FCN': ('mmseg', 'hrnet/fcn_hr18_4xb2-160k_cityscapes-512x1024.py', 'fcn_hrnetv2-w18_120k_cityscapes',
            'mmsegmentation'),
    'OCR': ('mmseg', 'ocrnet/ocrnet_hr18_4xb2-160k_cityscapes-512x1024.py', 'ocr_hrnetv2-w18_120k_cityscapes',
            'mmsegmentation, with OCR'),
    'classification': ('mmpretrain', 'hrnet/hrnet-w18_4xb32_in1k.py', None, 'mmpretrain'),
}


def built(host, model):
    """Build a model of a config without downloads, GPU or host data."""
    model = {key: value for key, value in model.items() if key not in ('pretrained', 'data_preprocessor')}
    model['backbone'] = {**model['backbone'], 'init_cfg': None}
    with DefaultScope.overwrite_default_scope(host):
        return MODELS.build(Config(dict(model=model)).model).eval()


def peer_of(host, name):
    root = Path(pytest.importorskip(host).__file__).parent / '.mim' / 'configs'
    pytest.importorskip(f'{host}.models')
    return built(host, Config.fromfile(str(root / name)).model.to_dict())


def ours_of(host, name, corners):
    if name is None:
        return HRNetClassifier('w18').eval()
    model = Config.fromfile(cfg(name)).model.to_dict()
    if corners:  # align_corners: the plugin's config follows the official code, upstream does not
        assert model['backbone']['upsample'] == dict(mode='bilinear', align_corners=True)
        model['backbone']['upsample'] = dict(mode='bilinear')
        for head in model['decode_head']:
            head['align_corners'] = False
    return built(host, model)


def outputs(model, images):
    """Return all outputs of a model before postprocessing."""
    if not (hasattr(model, 'bbox_head') or hasattr(model, 'roi_head')):
        return [model(images, None, mode='tensor')]
    feats = model.extract_feat(images)
    if hasattr(model, 'bbox_head'):
        return [*feats, *flat(model.bbox_head(feats))]
    # the same proposals for both, since those of the RPN depend on rounding errors of scores
    rois = torch.tensor([[0, 5, 5, 60, 50], [0, 20, 10, 100, 90], [0, 0, 0, 127, 95]], dtype=torch.float)
    out = [*feats, *flat(model.rpn_head(feats))]
    roi_head = model.roi_head
    extractors, heads = (list(x) if isinstance(x, torch.nn.ModuleList) else [x]
                         for x in (roi_head.bbox_roi_extractor, roi_head.bbox_head))
    for extractor, head in zip(extractors, heads):
        out += flat(head(extractor(feats[:extractor.num_inputs], rois)))
    if roi_head.with_mask:
        extractors, heads = (list(x) if isinstance(x, torch.nn.ModuleList) else [x]
                             for x in (roi_head.mask_roi_extractor, roi_head.mask_head))
        for extractor, head in zip(extractors, heads):
            out += flat(head(extractor(feats[:extractor.num_inputs], rois)))
    if getattr(roi_head, 'with_semantic', False):
        out += flat(roi_head.semantic_head(feats))
    return out


def flat(values):
    if torch.is_tensor(values):
        return [values]
    return [tensor for value in values for tensor in flat(value)]


def assert_bits(a, b):
    assert set(a) == set(b)
    assert all(a[name].dtype == b[name].dtype and torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize('name', PEERS)
@torch.no_grad()
def test_an_upstream_checkpoint(name, tmp_path):
    host, theirs, ours, family = PEERS[name]
    peer = randomize(peer_of(host, theirs))
    torch.save(dict(meta=dict(epoch=1), state_dict=peer.state_dict()), tmp_path / 'peer.pth')

    checkpoint = read(tmp_path / 'peer.pth')
    found = recognize(checkpoint)
    mapped, unknown = to_plugin(checkpoint, found)
    assert (found.family.name, unknown) == (family, [])
    model = ours_of(host, ours, name == 'OCR')
    model.load_state_dict(mapped.tensors, strict=True)
    images = torch.randn(1, 3, 96, 128)
    for got, wanted in zip(outputs(model, images), outputs(peer, images), strict=True):
        assert relative_error(got, wanted) < 1e-5

    write(mapped, tmp_path / 'ours.safetensors')  # the file must contain everything for the conversion back
    again = from_plugin(read(tmp_path / 'ours.safetensors'), found.family.host, host)
    assert_bits(again.tensors, checkpoint.tensors)
    peer.load_state_dict(again.tensors, strict=True)
