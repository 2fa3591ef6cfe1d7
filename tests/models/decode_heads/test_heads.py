"""Segmentation heads against those of mmsegmentation: keys, outputs, gradients."""

from __future__ import annotations

import pytest
import torch
from conftest import randomize, relative_error, same_weights
from mmengine.registry import MODELS
from torch.nn import functional as F

pytest.importorskip('mmseg')
from mmseg.models.decode_heads import FCNHead as UpstreamFCNHead
from mmseg.models.decode_heads import OCRHead as UpstreamOCRHead

from hrnet_plugin.arch import arch_channels
from hrnet_plugin.models.decode_heads import FCNHead, OCRHead

SMALL = 'w18_small_v1'
BN = dict(type='BN')


def upstream_options(arch, **options):
    widths = list(arch_channels(arch))
    return dict(in_channels=widths, in_index=(0, 1, 2, 3), channels=sum(widths), input_transform='resize_concat',
                kernel_size=1, num_convs=1, concat_input=False, dropout_ratio=-1, num_classes=5, norm_cfg=BN, **options)


def maps(size=(32, 48), arch=SMALL, dtype=torch.float):
    height, width = size
    return [torch.randn(2, c, -(-height // 2**b), -(-width // 2**b), dtype=dtype)
            for b, c in enumerate(arch_channels(arch))]


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('size', [(32, 48), (29, 51)])
@torch.no_grad()
def test_fcn_head_equals_mmseg(size, align_corners):
    ours = FCNHead(arch=SMALL, num_classes=5, align_corners=align_corners).eval()
    theirs = UpstreamFCNHead(**upstream_options(SMALL, align_corners=align_corners)).eval()
    same_weights(ours, theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    feats = maps(size)
    assert relative_error(ours(feats), theirs(feats)) < 1e-5


@pytest.mark.parametrize('align_corners', [False, True])
def test_training_step_of_the_fcn_head_in_double_precision(align_corners):
    ours = FCNHead(arch=SMALL, num_classes=5, align_corners=align_corners).double()
    theirs = UpstreamFCNHead(**upstream_options(SMALL, align_corners=align_corners)).double()
    same_weights(ours, theirs)
    feats = [x.requires_grad_() for x in maps(dtype=torch.double)]
    grads = []
    for head in (ours, theirs):
        head.train()
        (head(feats)**2).sum().backward()
        grads.append([x.grad for x in feats] + [p.grad for p in head.parameters()])
        for x in feats:
            x.grad = None
    for a, b in zip(*grads):
        assert relative_error(a, b) < 1e-10
    for (name, a), b in zip(ours.named_buffers(), theirs.buffers()):
        assert relative_error(a.double(), b.double()) < 1e-10, name


@pytest.mark.parametrize('align_corners', [False, True])
@torch.no_grad()
def test_ocr_head_equals_mmseg(align_corners):
    options = upstream_options(SMALL, align_corners=align_corners)
    for key in ('kernel_size', 'num_convs', 'concat_input', 'channels'):
        options.pop(key)
    ours = OCRHead(arch=SMALL, num_classes=5, channels=24, ocr_channels=12, align_corners=align_corners).eval()
    theirs = UpstreamOCRHead(**options, channels=24, ocr_channels=12).eval()
    same_weights(ours, theirs)
    feats, coarse = maps(), torch.randn(2, 5, 32, 48)
    assert relative_error(ours(feats, coarse), theirs(feats, coarse)) < 1e-5


@torch.no_grad()
def test_ocr_input_is_the_concatenation():
    head = randomize(OCRHead(arch=SMALL, num_classes=5, channels=24, ocr_channels=12, align_corners=True)).eval()
    feats, seen = maps(), []
    head.bottleneck.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    head(feats, torch.randn(2, 5, 32, 48))
    expected = torch.cat([feats[0], *(F.interpolate(x, (32, 48), mode='bilinear', align_corners=True)
                                      for x in feats[1:])], 1)
    assert torch.equal(seen[0], expected)


def test_arguments_of_mmseg_configs():
    head = MODELS.build(dict(type='hrnet_plugin.FCNHead', **upstream_options('w18', align_corners=False)))
    assert isinstance(head, UpstreamFCNHead)
    assert head.in_channels == head.channels == 270
    assert FCNHead(arch='w18', num_classes=5, channels=64).conv_seg.in_channels == 64


def test_number_of_class_weights():
    loss = dict(type='hrnet_plugin.PixelCrossEntropy', class_weight=[1.] * 19)
    for head in (FCNHead, OCRHead):
        with pytest.raises(ValueError, match=r'loss_decode.class_weight must have 5 entries.*got 19. Use None'):
            head(arch=SMALL, num_classes=5, loss_decode=loss)
        with pytest.raises(ValueError, match='class_weight must have 5 entries'):
            head(arch=SMALL, num_classes=5, loss_decode=[loss])


@torch.no_grad()
def test_in_index_selects_feature_maps():
    head = FCNHead(in_channels=[16, 64], in_index=[0, 2], num_classes=5).eval()
    feats = maps()
    changed = [feats[0], feats[1] + 1, feats[2], feats[3] + 1]
    assert torch.equal(head(feats), head(changed))


@pytest.mark.parametrize(('options', 'message'), [
    (dict(), 'in_channels or arch must be given, got neither'),
    (dict(arch=SMALL, kernel_size=3), r"kernel_size of hrnet_plugin.FCNHead \(use type='mmseg.FCNHead' for others\) "
     'must be one of 1, got 3'),
    (dict(arch=SMALL, num_convs=2), 'num_convs of .* must be one of 1, got 2'),
    (dict(arch=SMALL, concat_input=True), 'concat_input of .* must be one of False, got True'),
    (dict(arch=SMALL, input_transform=None), "input_transform of .* must be one of 'resize_concat', got None"),
    (dict(arch=SMALL, in_index=[0, 1]), r'in_index must have 4 entries, one for each of in_channels, got \[0, 1\]'),
    (dict(arch=SMALL, num_classes=0), 'num_classes must be between 1 and 1048576, got 0'),
])
def test_wrong_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        FCNHead(**{'num_classes': 5, **options})
    if not {'kernel_size', 'num_convs', 'concat_input'} & set(options):
        with pytest.raises(ValueError, match=message.replace('FCNHead', 'OCRHead')):
            OCRHead(**{'num_classes': 5, **options})


def test_arguments_of_another_head():
    for head in (FCNHead, OCRHead):
        kind = rf'hrnet_plugin\.{head.__name__}'
        with pytest.raises(TypeError, match=rf'head must have arguments of {kind} only, got pool_scales\. '
                                            rf".*head=dict\(_delete_=True, type='{kind}', "):
            head(arch=SMALL, num_classes=5, pool_scales=(1, 2, 3, 6), ignore_index=0)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(align_corners='yes'), "align_corners must be True or False, got 'yes'"),
    (dict(norm_cfg='BN'), "norm_cfg must be a mapping with the key 'type' or None, got 'BN'"),
    (dict(channels='a'), "channels must be an int, got 'a'"),
    (dict(in_index=-1), 'in_index must be a sequence of ints, got -1'),
    (dict(in_index=list('abcd')), "each entry of in_index must be an int, got 'a'"),
])
def test_wrong_types(options, message):
    for head in (FCNHead, OCRHead):
        with pytest.raises(TypeError, match=message):
            head(arch=SMALL, num_classes=5, **options)
