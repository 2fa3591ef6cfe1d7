"""Recognition and conversion of all families, tensor by tensor and back without loss."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from conftest import randomize, relative_error
from mmengine.config import Config, ConfigDict
from mmengine.registry import DefaultScope
from torch import nn
from torch.nn import functional as F

from hrnet_plugin.arch import ARCHS
from hrnet_plugin.checkpoints.convert import backbone_only, from_plugin, to_plugin
from hrnet_plugin.checkpoints.families import BILINEAR, CORNERS, FAMILIES, NEAREST
from hrnet_plugin.checkpoints.families.recognition import recognize
from hrnet_plugin.checkpoints.file import Checkpoint
from hrnet_plugin.config_files import cfg
from hrnet_plugin.models import HRFPN, HRNet, HRNetClassifier
from hrnet_plugin.registry import MODELS

ARCH = 'w18_small_v1'


def total(arch):
    """Return the sum of the branch widths."""
    return sum(ARCHS[arch][-1].num_channels)


TOTAL = total(ARCH)


def norm(channels):
    """Return a norm in a sequence with ReLU, as in the official OCR code."""
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())


def conv(c_in, c_out, kernel=1, bias=False):
    return nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=bias)


def two_layers(classes, arch=ARCH):
    """Return last_layer, aux_head or the face head of the official repositories."""
    width = total(arch)
    return nn.Sequential(conv(width, width, bias=True), nn.BatchNorm2d(width), nn.ReLU(),
                         conv(width, classes, bias=True))


class Official(nn.Module):
    """Network and heads with official keys, i.e. without 'backbone.'."""

    def __init__(self, backbone, **heads):
        super().__init__()
        for name, child in backbone.named_children():
            self.add_module(name, child)
        self.backbone_of = [backbone]  # not a child
        for name, head in heads.items():
            self.add_module(name, head)

    def streams(self, x, align_corners):
        feats = self.backbone_of[0](x)
        return torch.cat([feats[0], *(F.interpolate(f, feats[0].shape[-2:], mode='bilinear',
                                                    align_corners=align_corners) for f in feats[1:])], 1)


class OfficialOCR(Official):
    """HRNet-OCR with official keys and outputs."""

    def __init__(self, classes, arch=ARCH):
        two = dict(f_pixel=512, f_object=512)
        one = dict(f_down=(512, 256), f_up=(256, 512))
        block = nn.ModuleDict({
            **{name: nn.Sequential(conv(width, 256), norm(256), conv(256, 256), norm(256))
               for name, width in two.items()},
            **{name: nn.Sequential(conv(*widths), norm(widths[1])) for name, widths in one.items()}})
        distribute = nn.ModuleDict(dict(object_context_block=block,
                                        conv_bn_dropout=nn.Sequential(conv(1024, 512), norm(512), nn.Dropout2d(0.05))))
        super().__init__(HRNet(arch, host='mmseg', upsample=dict(mode='bilinear', align_corners=True)),
                         conv3x3_ocr=nn.Sequential(conv(total(arch), 512, 3, True), nn.BatchNorm2d(512), nn.ReLU()),
                         ocr_distri_head=distribute, cls_head=conv(512, classes, bias=True),
                         aux_head=two_layers(classes, arch))

    def forward(self, x):
        feats = self.streams(x, True)
        regions = self.aux_head(feats)
        pixels = self.conv3x3_ocr(feats)
        objects = torch.einsum('nkp,ncp->nck', regions.flatten(2).softmax(2), pixels.flatten(2)).unsqueeze(3)
        block = self.ocr_distri_head['object_context_block']
        query, key, value = (block[name](y).flatten(2) for name, y in (
            ('f_pixel', pixels), ('f_object', objects), ('f_down', objects)))
        attention = (torch.einsum('ncp,nck->npk', query, key) * 256**-0.5).softmax(2)
        context = torch.einsum('npk,nck->ncp', attention, value).unflatten(2, pixels.shape[-2:])
        context = torch.cat([block['f_up'](context), pixels], 1)
        return self.cls_head(self.ocr_distri_head['conv_bn_dropout'](context))


def official_detector(share=False):
    """Return HRNet-Object-Detection, with keys of early mmdet and the background as first class."""
    box = nn.ModuleDict(dict(shared_fcs=nn.ModuleList([nn.Linear(12, 8), nn.Linear(8, 8)]), fc_cls=nn.Linear(8, 81),
                             fc_reg=nn.Linear(8, 324)))
    fpn = conv(8, 8, 3, True) if share else nn.ModuleList(conv(8, 8, 3, True) for _ in range(5))
    mask = nn.ModuleDict(dict(conv_logits=conv(8, 81, bias=True)))
    return nn.ModuleDict(dict(
        backbone=HRNet(ARCH), neck=nn.ModuleDict(dict(reduction_conv=nn.Sequential(conv(TOTAL, 8, bias=True)),
                                                      fpn_conv=fpn)),
        rpn_head=nn.ModuleDict(dict(rpn_cls=conv(8, 3, bias=True))), bbox_head=box, mask_head=mask))


def official_fcos():
    def tower():
        return nn.Sequential(*(layer for _ in range(4)
                               for layer in (conv(8, 8, 3, True), nn.GroupNorm(2, 8), nn.ReLU())))

    scales = nn.ModuleList(nn.ParameterDict(dict(scale=nn.Parameter(torch.rand(1)))) for _ in range(5))
    head = nn.ModuleDict(dict(cls_tower=tower(), bbox_tower=tower(), cls_logits=conv(8, 80, 3, True),
                              bbox_pred=conv(8, 4, 3, True), centerness=conv(8, 1, 3, True), scales=scales))
    fpn = nn.ModuleDict(dict(reduction_conv=nn.Sequential(conv(TOTAL, 8, bias=True)),
                             fpn_conv=nn.ModuleList(conv(8, 8, 3, True) for _ in range(5))))
    return nn.ModuleDict(dict(backbone=nn.ModuleDict(dict(body=HRNet(ARCH), fpn=fpn)),
                              rpn=nn.ModuleDict(dict(head=head))))


def official_higher():
    block = nn.Sequential(nn.Sequential(nn.ConvTranspose2d(50, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16)))
    return Official(HRNet(ARCH, host='mmpose'), deconv_layers=nn.ModuleList([block]),
                    final_layers=nn.ModuleList([conv(16, 34, bias=True), conv(16, 17, bias=True)]))


def official_classifier():
    model = HRNetClassifier(ARCH, num_classes=10)
    heads = dict(model.head.named_children())
    return Official(model.backbone, **heads)


OFFICIAL = {
    'official classification, and timm': official_classifier,
    'official segmentation': lambda: Official(HRNet(ARCH, host='mmseg'), last_layer=two_layers(19)),
    'official segmentation, ADE20K or COCO-Stuff': lambda: Official(HRNet(ARCH), last_layer=two_layers(150)),
    'official segmentation with OCR': lambda: OfficialOCR(19),
    'official pose': lambda: Official(HRNet(ARCH, host='mmpose'), final_layer=conv(16, 17, bias=True)),
    'official face': lambda: Official(HRNet(ARCH), head=two_layers(98)),
    'HigherHRNet': official_higher,
    'official detection': official_detector,
    'official detection, one convolution for all levels': lambda: official_detector(share=True),
    'HRNet-FCOS': official_fcos,
}


def checkpoint_of(model, prefix=''):
    state = randomize(model).state_dict()
    return Checkpoint('x.pth', OrderedDict((prefix + name, tensor.clone()) for name, tensor in state.items()))


def to_ours(checkpoint):
    found = recognize(checkpoint)
    ours, unknown = to_plugin(checkpoint, found)
    assert not unknown
    return ours, found


def assert_bits(a, b):
    assert set(a) == set(b)
    assert all(torch.equal(a[name], b[name]) and a[name].dtype == b[name].dtype for name in a)


@pytest.mark.parametrize('prefix', ['', 'module.', 'model.', 'module.1.'])
@pytest.mark.parametrize('name', OFFICIAL)
def test_official_layouts_round_trip(name, prefix):
    checkpoint = checkpoint_of(OFFICIAL[name](), prefix)
    ours, found = to_ours(checkpoint)
    assert (found.family.name, found.root, found.network.arch) == (name, prefix, ARCH)
    assert ours.metadata['backbone']['upsampling'] == found.family.metadata['upsampling']
    back = from_plugin(ours, found.family.host, 'official')
    assert_bits({prefix + key: tensor for key, tensor in back.tensors.items()}, checkpoint.tensors)
    assert checkpoint.tensors.keys() == {prefix + key for key in back.tensors}
    alone = backbone_only(ours)
    assert all(key.startswith('backbone.') for key in alone.tensors)
    assert len(from_plugin(alone, '', 'timm').tensors) == len(alone.tensors)


def test_half_precision_round_trip():
    checkpoint = checkpoint_of(OFFICIAL['official segmentation']().half())
    ours, found = to_ours(checkpoint)
    assert_bits(from_plugin(ours, 'mmseg', 'official').tensors, checkpoint.tensors)
    assert found.family.task == 'segmentation'


def test_weights_trained_after_a_conversion_override_kept_ones():
    ours, _ = to_ours(checkpoint_of(OFFICIAL['official segmentation']()))
    ours.tensors['decode_head.convs.0.bn.running_mean'] += 1
    back = from_plugin(ours, 'mmseg', 'official').tensors
    assert torch.equal(back['last_layer.1.running_mean'], ours.tensors['decode_head.convs.0.bn.running_mean'])
    assert not back['last_layer.0.bias'].any()


def segmentor(arch, classes, align_corners, ocr):
    shared = dict(arch=arch, num_classes=classes, align_corners=align_corners)
    fcn = dict(type='hrnet_plugin.FCNHead', **shared)
    heads = [fcn, dict(type='hrnet_plugin.OCRHead', **shared)] if ocr else fcn
    return MODELS.build(ConfigDict(
        type='mmseg.CascadeEncoderDecoder' if ocr else 'mmseg.EncoderDecoder', **(dict(num_stages=2) if ocr else {}),
        backbone=dict(type='hrnet_plugin.HRNet', arch=arch, host='mmseg',
                      upsample=dict(mode='bilinear', align_corners=align_corners)), decode_head=heads)).eval()


@pytest.mark.parametrize(('arch', 'align_corners', 'ocr'), [
    (ARCH, False, False), (ARCH, True, False), (ARCH, True, True),
    ('w48', False, False), ('w48', True, True)])
def test_official_segmentation_gives_the_official_output(arch, align_corners, ocr):
    """Covers align_corners=True, which upstream's backbone lacks."""
    pytest.importorskip('mmseg.models')
    classes = 19 if ocr or not align_corners else 150
    official = OfficialOCR(classes, arch) if ocr else Official(
        HRNet(arch, upsample=dict(mode='bilinear', align_corners=align_corners)), last_layer=two_layers(classes, arch))
    ours, _ = to_ours(checkpoint_of(official))
    with DefaultScope.overwrite_default_scope('mmseg'):
        model = segmentor(arch, classes, align_corners, ocr)
    model.load_state_dict(ours.tensors, strict=True)
    official.eval()
    official.backbone_of[0].eval()
    x = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        theirs = official(x) if ocr else official.last_layer(official.streams(x, align_corners))
        feats = model.extract_feat(x)
        if ocr:
            regions = model.decode_head[0](feats)
            got = model.decode_head[1](feats, regions)
        else:
            got = model.decode_head(feats)
    assert relative_error(got, theirs) < 1e-5
    assert ours.metadata['backbone']['upsampling'] == ('bilinear, align_corners' if align_corners else 'bilinear')


@pytest.mark.parametrize(('name', 'model', 'metadata'), [
    ('official segmentation, torch 0.4', lambda: Official(HRNet(ARCH), last_layer=two_layers(19)), BILINEAR),
    ('official segmentation, torch 0.4, ADE20K or COCO-Stuff',
     lambda: Official(HRNet(ARCH), last_layer=two_layers(171)), CORNERS),
    ('official segmentation with OCR, torch 0.4', lambda: OfficialOCR(19), CORNERS)])
def test_torch_04_norms_scale_by_absolute_values(name, model, metadata):
    checkpoint = checkpoint_of(model())
    for counter in [key for key in checkpoint.tensors if key.endswith('num_batches_tracked')]:
        del checkpoint.tensors[counter]
    checkpoint.tensors['bn1.weight'] = -checkpoint.tensors['bn1.weight']
    ours, found = to_ours(checkpoint)
    assert (found.family.name, ours.metadata['backbone']) == (name, metadata)
    assert torch.equal(ours.tensors['backbone.bn1.weight'], checkpoint.tensors['bn1.weight'].abs() + 1e-5)
    assert_bits(from_plugin(ours, 'mmseg', 'official').tensors, checkpoint.tensors)


def test_the_background_becomes_the_last_class():
    checkpoint = checkpoint_of(official_detector())
    theirs = checkpoint.tensors
    ours = to_ours(checkpoint)[0].tensors
    assert torch.equal(ours['roi_head.bbox_head.fc_cls.weight'][-1], theirs['bbox_head.fc_cls.weight'][0])
    for kind in ('weight', 'bias'):
        assert torch.equal(ours[f'roi_head.bbox_head.fc_cls.{kind}'][:80], theirs[f'bbox_head.fc_cls.{kind}'][1:])
        assert torch.equal(ours[f'roi_head.bbox_head.fc_reg.{kind}'], theirs[f'bbox_head.fc_reg.{kind}'][4:])
        assert torch.equal(ours[f'roi_head.mask_head.conv_logits.{kind}'], theirs[f'mask_head.conv_logits.{kind}'][1:])
        assert torch.equal(ours[f'rpn_head.rpn_cls.{kind}'], theirs[f'rpn_head.rpn_cls.{kind}'])


def test_official_neck_fits_ours():
    ours = to_ours(checkpoint_of(official_detector()))[0].tensors
    neck = {name.removeprefix('neck.'): tensor for name, tensor in ours.items() if name.startswith('neck.')}
    HRFPN(arch=ARCH, out_channels=8).load_state_dict(neck, strict=True)
    ours = to_ours(checkpoint_of(official_detector(share=True)))[0].tensors
    neck = {name.removeprefix('neck.'): tensor for name, tensor in ours.items() if name.startswith('neck.')}
    HRFPN(arch=ARCH, out_channels=8, share_conv=True).load_state_dict(neck, strict=True)


def test_maskrcnn_benchmark():
    model = official_detector()
    checkpoint = Checkpoint('x.pth', OrderedDict())
    names = {'backbone.': 'backbone.body.', 'neck.': 'backbone.neck.', 'rpn_head.rpn_cls.': 'rpn.head.cls_logits.',
             'bbox_head.shared_fcs.0.': 'roi_heads.box.feature_extractor.fc6.',
             'bbox_head.shared_fcs.1.': 'roi_heads.box.feature_extractor.fc7.',
             'bbox_head.fc_cls.': 'roi_heads.box.predictor.cls_score.',
             'bbox_head.fc_reg.': 'roi_heads.box.predictor.bbox_pred.',
             'mask_head.conv_logits.': 'roi_heads.mask.predictor.mask_fcn_logits.'}
    for name, tensor in checkpoint_of(model).tensors.items():
        start = next(start for start in names if name.startswith(start))
        if not name.endswith('num_batches_tracked'):  # its frozen norms have an eps instead
            checkpoint.tensors['module.' + names[start] + name.removeprefix(start)] = tensor
    checkpoint.tensors['module.backbone.body.bn1.eps'] = torch.full((64, ), 1e-5)
    checkpoint.tensors['module.rpn.anchor_generator.cell_anchors.0'] = torch.zeros(3, 4)
    ours, found = to_ours(checkpoint)
    assert found.family.name == 'HRNet-MaskRCNN-Benchmark'
    v1 = to_ours(checkpoint_of_tensors(model.state_dict()))[0].tensors
    assert_bits(ours.tensors, {name: x for name, x in v1.items() if not name.endswith('num_batches_tracked')})


def checkpoint_of_tensors(tensors):
    return Checkpoint('x.pth', OrderedDict(tensors))


@pytest.mark.parametrize('name', ['hrnet_w18_small', 'hrnet_w18'])
def test_timm(name):
    timm = pytest.importorskip('timm')
    theirs = randomize(timm.create_model(name, num_classes=7)).eval()
    checkpoint = checkpoint_of_tensors(theirs.state_dict())
    ours, found = to_ours(checkpoint)
    model = HRNetClassifier({'hrnet_w18_small': 'w18_small_v1', 'hrnet_w18': 'w18'}[name], num_classes=7).eval()
    model.load_state_dict(ours.tensors, strict=True)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert relative_error(model(x), theirs(x)) < 1e-5
    back = from_plugin(ours, found.family.host, 'timm').tensors
    assert_bits(back, checkpoint.tensors)
    theirs.load_state_dict(back, strict=True)


def test_mmpretrain_names():
    """Its convolutions before norms have no bias; ours get biases of zeros."""
    official = checkpoint_of(official_classifier())
    ours, _ = to_ours(official)
    theirs = from_plugin(ours, 'hrnet_plugin', 'mmpretrain')
    assert {'neck.0.increase_layers.0.0.conv1.weight', 'neck.0.downsample_layers.0.bn.running_mean',
            'neck.0.final_layer.conv.weight', 'head.fc.weight'} < set(theirs.tensors)
    assert not any(name.startswith('neck.') and name.endswith('conv.bias') for name in theirs.tensors)
    again, found = to_ours(theirs)
    assert found.family.name == 'mmpretrain'
    assert_bits(from_plugin(again, 'hrnet_plugin', 'official').tensors, official.tensors)
    del theirs.kept['head.final_layer.0.bias']
    a, b = (HRNetClassifier(ARCH, num_classes=10).eval() for _ in range(2))
    a.load_state_dict(ours.tensors)
    b.load_state_dict(to_ours(checkpoint_of_tensors(theirs.tensors))[0].tensors, strict=True)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert relative_error(b(x), a(x)) < 1e-5


@pytest.mark.parametrize(('heads', 'name', 'host', 'metadata'), [
    ({'keypoint_head.final_layer.weight': 'head.final_layer.weight'}, 'mmpose 0', 'mmpose', NEAREST),
    ({'keypoint_head.final_layer.0.weight': 'head.conv_layers.0.weight',
      'keypoint_head.final_layer.1.running_mean': 'head.conv_layers.1.running_mean',
      'keypoint_head.final_layer.3.weight': 'head.final_layer.weight'}, 'mmpose 0, HRNetV2', 'mmpose', BILINEAR),
    ({'head.final_layer.weight': 'head.final_layer.weight'}, 'mmpose 1', 'mmpose', NEAREST),
    ({'head.conv_layers.1.running_mean': 'head.conv_layers.1.running_mean',
      'head.final_layer.weight': 'head.final_layer.weight'}, 'mmpose 1, HRNetV2', 'mmpose', BILINEAR),
    ({'decode_head.conv_seg.weight': 'decode_head.conv_seg.weight'}, 'mmsegmentation', 'mmseg', BILINEAR),
    ({'decode_head.1.object_context_block.x': 'decode_head.1.object_context_block.x'}, 'mmsegmentation, with OCR',
     'mmseg', BILINEAR),
    ({'neck.reduction_conv.conv.weight': 'neck.reduction_conv.conv.weight',
      'roi_head.bbox_head.fc_cls.weight': 'roi_head.bbox_head.fc_cls.weight'}, 'mmdet 2 and 3', 'mmdet', NEAREST),
    ({'neck.fpn_convs.0.conv.weight': 'neck.fpn_convs.0.conv.weight',
      'bbox_head.0.fc_cls.weight': 'roi_head.bbox_head.0.fc_cls.weight'}, 'mmdet 1', 'mmdet', NEAREST),
    ({'neck.fpn_convs.0.conv.weight': 'neck.fpn_convs.0.conv.weight',
      'bbox_head.fcos_cls.weight': 'bbox_head.conv_cls.weight'}, 'mmdet 1, FCOS', 'mmdet',
     dict(NEAREST, images='BGR, std 1')),
    ({'neck.reduction_conv.conv.weight': 'neck.reduction_conv.conv.weight',
      'neck.fpn_conv.0.weight': 'neck.fpn_convs.0.conv.weight'}, 'mmdet 1, early version', 'mmdet',
     NEAREST),
    ({'anything.weight': 'anything.weight'}, 'another model with a backbone', '', {}),
])
def test_layouts_of_hosts(heads, name, host, metadata):
    tensors = {f'backbone.{key}': tensor for key, tensor in HRNet(ARCH).state_dict().items()}
    checkpoint = checkpoint_of_tensors({**tensors, **{key: torch.rand(5, 2) for key in heads}})
    ours, found = to_ours(checkpoint)
    assert (found.family.name, found.family.host) == (name, host)
    assert ours.metadata['backbone'] == metadata
    assert set(ours.tensors) == {*tensors, *heads.values()}
    assert from_plugin(ours, host, host or 'mmdet') is ours


def test_metadata_of_a_file_overrides_that_of_its_family():
    tensors = {f'backbone.{key}': tensor for key, tensor in HRNet(ARCH).state_dict().items()}
    checkpoint = Checkpoint('x', OrderedDict({**tensors, 'decode_head.conv_seg.weight': torch.rand(5, 2)}),
                            {'backbone': {'upsampling': 'bilinear, align_corners'}})
    assert to_ours(checkpoint)[0].metadata['backbone'] == CORNERS


def test_heads_without_keys_in_the_target_raise():
    ours, found = to_ours(checkpoint_of(official_classifier()))
    with pytest.raises(ValueError, match=r"without keys in .* \(head\.incre_modules\.0, .*Add --backbone to write"):
        from_plugin(ours, found.family.host, 'mmdet')
    assert from_plugin(backbone_only(ours), found.family.host, 'mmdet').tensors.keys() == {
        f'backbone.{name}' for name in HRNet(ARCH).state_dict()}


def test_only_keys_without_counterpart_are_listed():
    ours, found = to_ours(checkpoint_of(official_detector()))
    ours.tensors['neck.reduction_conv.bn.weight'] = torch.rand(8)
    with pytest.raises(ValueError, match=r"without keys in the layout 'official' \(neck\.reduction_conv\.bn\)\."):
        from_plugin(ours, found.family.host, 'official')


def test_tensors_of_losses_are_kept():
    checkpoint = checkpoint_of(OFFICIAL['official segmentation'](), 'model.')
    checkpoint.tensors['loss.criterion.weight'] = torch.rand(19)
    ours, _ = to_ours(checkpoint)
    assert 'loss.criterion.weight' in ours.kept
    assert not any(name.startswith('loss') for name in ours.tensors)


def test_keys_without_counterpart_are_returned():
    checkpoint = checkpoint_of(OFFICIAL['official pose']())
    checkpoint.tensors['surplus.weight'] = torch.rand(1)
    _, unknown = to_plugin(checkpoint, recognize(checkpoint))
    assert unknown == ['surplus.weight']


def test_imagenet_weights_of_the_official_pose_code():
    """They contain a network with four outputs, and an unused head."""
    network = HRNet(ARCH)
    tensors = randomize(network).state_dict()
    checkpoint = checkpoint_of_tensors({**tensors, 'head.0.0.0.conv1.weight': torch.rand(2, 2)})
    ours, found = to_ours(checkpoint)
    assert (found.family.name, found.family.task) == ('ImageNet weights of the official pose code', 'classification')
    assert ours.metadata['backbone'] == NEAREST
    HRNet(ARCH).load_state_dict({name.removeprefix('backbone.'): x for name, x in ours.tensors.items()}, strict=True)


# models of shipped configs; the official repositories have a key for each of their tensors
WHOLE = {
    'faster-rcnn_hrnetv2p-w18_1x_coco': ('official detection', {}),
    'mask-rcnn_hrnetv2p-w18_1x_coco': ('official detection', {}),
    'cascade-mask-rcnn_hrnetv2p-w18_20e_coco': ('official detection', {}),
    'fcos_hrnetv2p-w18_1x_coco': ('HRNet-FCOS', dict(bbox_head=dict(conv_bias=True))),
    'td-hm_hrnetv1-w32_210e_coco-256x192': ('official pose', {}),
    'td-hm_hrnetv2-w18_60e_wflw-256x256': ('official face', {}),
    'fcn_hrnetv2-w18_120k_cityscapes': ('official segmentation', {}),
    'fcn_hrnetv2-w18_150k_ade20k': ('official segmentation, ADE20K or COCO-Stuff', {}),
    'ocr_hrnetv2-w18_120k_cityscapes': ('official segmentation with OCR', {}),
}


@pytest.mark.parametrize('name', WHOLE)
def test_whole_models_in_official_layouts(name):
    """Tensors are identical after writing the official layout, reading it, and strict loading."""
    family, changes = WHOLE[name]
    config = Config.fromfile(cfg(name))
    config.merge_from_dict(dict(model=dict(changes, backbone=dict(init_cfg=None))))
    host = config.default_scope
    pytest.importorskip(f'{host}.models')
    config.model.pop('data_preprocessor', None)
    with DefaultScope.overwrite_default_scope(host):
        model = randomize(MODELS.build(config.model))
    ours = Checkpoint('x.pth', OrderedDict(model.state_dict()))
    official = from_plugin(ours, host, 'official')
    again, found = to_ours(official)
    assert (found.family.name, found.family.host) == (family, host)
    assert_bits(again.tensors, ours.tensors)
    model.load_state_dict(again.tensors, strict=True)


def test_family_names_are_unique():
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    assert not FAMILIES[-1].markers


@pytest.mark.parametrize('arch', [ARCH, 'w18'])
def test_official_face_gives_the_official_output(arch):
    pytest.importorskip('mmpose.models')
    official = Official(HRNet(arch, upsample='bilinear'), head=two_layers(98, arch))
    ours, found = to_ours(checkpoint_of(official))
    with DefaultScope.overwrite_default_scope('mmpose'):
        model = MODELS.build(ConfigDict(
            type='mmpose.TopdownPoseEstimator',
            backbone=dict(type='hrnet_plugin.HRNet', arch=arch, host='mmpose', multiscale_output=True,
                          upsample='bilinear'),
            neck=dict(type='FeatureMapProcessor', concat=True),
            head=dict(type='HeatmapHead', in_channels=total(arch), out_channels=98, deconv_out_channels=None,
                      conv_out_channels=(total(arch), ), conv_kernel_sizes=(1, ),
                      loss=dict(type='KeypointMSELoss', use_target_weight=True)))).eval()
    model.load_state_dict(ours.tensors, strict=True)
    official.eval()
    official.backbone_of[0].eval()
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        theirs = official.head(official.streams(x, False))
        assert relative_error(model.head(model.extract_feat(x)), theirs) < 1e-5
    assert ours.metadata['backbone'] == dict(BILINEAR, norm_momentum='0.01')
    assert found.family.host == 'mmpose'


def test_fcos_head_with_conv_biases():
    pytest.importorskip('mmdet.models')
    ours = to_ours(checkpoint_of(official_fcos()))[0].tensors
    with DefaultScope.overwrite_default_scope('mmdet'):
        head = MODELS.build(ConfigDict(
            type='mmdet.FCOSHead', num_classes=80, in_channels=8, feat_channels=8, stacked_convs=4, conv_bias=True,
            norm_cfg=dict(type='GN', num_groups=2, requires_grad=True), strides=[8, 16, 32, 64, 128]))
    mapped = {name.removeprefix('bbox_head.'): x for name, x in ours.items() if name.startswith('bbox_head.')}
    assert mapped['scales.0.scale'].dim() == 0  # scalar in mmcv; the official code has shape (1,)
    head.load_state_dict(mapped, strict=True)
    neck = {name.removeprefix('neck.'): x for name, x in ours.items() if name.startswith('neck.')}
    HRFPN(arch=ARCH, out_channels=8, stride=2).load_state_dict(neck, strict=True)
