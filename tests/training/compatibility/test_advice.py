"""Advice in errors of the build-time checks, which must work when it is followed."""

from __future__ import annotations

import pytest
from torch import nn

import hrnet_plugin.plugin  # noqa: F401  (enables the checks)
from hrnet_plugin.models import HRFPN, HRNet, HRNetV2

pytest.importorskip('mmdet')
from mmdet.models.dense_heads import CenterNetHead, FCOSHead
from mmdet.models.layers import DeformableDetrTransformerEncoder
from mmdet.models.necks import FPN, YOLOXPAFPN, ChannelMapper
from mmdet.models.seg_heads import PanopticFPNHead

ARCH, WIDTHS = 'w18_small_v1', [16, 32, 64, 128]


class Model(nn.Module):
    def __init__(self, backbone, neck, head, name='bbox_head'):
        super().__init__()
        self.backbone = backbone
        if neck is not None:
            self.neck = neck
        setattr(self, name, head)


def error(*parts):
    """Return the error message of a model, '' if there is none."""
    try:
        Model(*parts)
    except ValueError as found:
        return str(found)
    return ''


def backbone(*out_indices, **options):
    return HRNet(ARCH, out_indices=out_indices or None, **options)


def test_pose_heads():
    pytest.importorskip('mmpose')
    from mmpose.models.heads import HeatmapHead

    def message(head_channels, *out_indices, neck=None, **options):
        return error(backbone(*out_indices, **options), neck, HeatmapHead(head_channels, 17), 'head')

    assert message(16, 0, 1).endswith('got 16. Set backbone.out_indices=(0,), or head.in_channels=32')
    assert message(16, 0) == message(32, 0, 1) == ''
    assert message(32, 1, 2).endswith('got 32. Set backbone.out_indices=(1,), or head.in_channels=64')
    assert message(32, 1) == ''
    assert message(16, multiscale_output=True).endswith('Set backbone.out_indices=(0,) with multiscale_output=None, or '
                                                        'head.in_channels=128')
    assert message(48, 0, 1).endswith("got 48. Add neck=dict(type='hrnet_plugin.HRNetV2', in_channels=[16, 32]), which "
                                      'concatenates all feature maps')
    assert message(48, 0, 1, neck=HRNetV2(in_channels=[16, 32])) == ''
    assert "type='hrnet_plugin.HRNetV2', arch=...)" in message(240)


def test_explicit_outputs_replace_those_of_extra():
    extra = {name: dict(stage) for name, stage in backbone().extra.items()}
    extra['stage4']['multiscale_output'] = True

    def message(**options):
        return error(HRNet(extra=extra, host='mmpose', **options), FPN(WIDTHS[1:], 8, 3), nn.Identity())

    assert 'Set backbone.out_indices=(1, 2, 3), or in_channels of FPN' in message()
    assert message(out_indices=(1, 2, 3)) == ''


def test_semantic_heads():
    def message(neck, *out_indices):
        head = PanopticFPNHead(num_things_classes=2, num_stuff_classes=2, in_channels=8, inner_channels=8,
                               norm_cfg=None)
        return error(backbone(*out_indices), neck, head, 'semantic_head')

    assert message(FPN(WIDTHS, 8, 4, start_level=1)).endswith('from the neck. Set neck.start_level=0')
    assert message(FPN(WIDTHS, 8, 4)) == ''
    assert message(HRFPN(arch=ARCH, out_channels=8, stride=2)).endswith('from the neck. Set neck.stride=1')
    assert message(HRFPN(arch=ARCH, out_channels=8)) == ''
    assert message(HRFPN(in_channels=WIDTHS[1:], out_channels=8), 1, 2, 3).endswith(
        'Set backbone.out_indices=(0, 1, 2, 3), and in_channels of the neck accordingly')
    twice = nn.Sequential(HRFPN(arch=ARCH, out_channels=8), HRFPN(in_channels=5 * [8], out_channels=8, stride=2))
    assert message(twice).endswith('Set neck[1].stride=1')


def test_heads_for_one_level():
    def message(channels, neck, *out_indices):
        return error(backbone(*out_indices), neck, CenterNetHead(channels, 8, 2))

    for channels, width in ((16, ', out_channels=16'), (48, '')):
        assert message(channels, None, 0, 1).endswith(
            f". Add neck=dict(type='hrnet_plugin.HRNetV2', in_channels=[16, 32]{width})")
    assert message(16, HRNetV2([16, 32], 16), 0, 1) == message(48, HRNetV2([16, 32]), 0, 1) == ''
    assert message(16, FPN(WIDTHS, 16, 5)).endswith(". Replace the neck by neck=dict(_delete_=True, "
                                                    "type='hrnet_plugin.HRNetV2', arch=..., out_channels=16)")
    assert message(16, HRNetV2(arch=ARCH, out_channels=16)) == ''
    assert message(256, HRFPN(arch=ARCH)).endswith('. Set neck.num_outs=1')
    assert message(256, HRFPN(arch=ARCH, num_outs=1)) == ''


@pytest.mark.parametrize(('neck', 'advice'), [
    (FPN(WIDTHS, 8, 5), '; or set neck.out_channels=16'),
    (ChannelMapper(WIDTHS, 8, num_outs=5), '; or set neck.out_channels=16'),
    (HRFPN(arch=ARCH, out_channels=8), '; or set neck.out_channels=16'),
    (nn.Sequential(HRFPN(arch=ARCH), FPN(5 * [256], 8, 5)), '; or set neck[1].out_channels=16'),
    (nn.AvgPool2d(2), '')])
def test_channels_of_the_neck_are_offered_if_it_has_this_argument(neck, advice):
    message = error(backbone(), neck, FCOSHead(2, 16, strides=[4, 8, 16, 32, 64]))
    assert message.partition('got 16')[2] == advice


@pytest.mark.parametrize(('neck', 'levels', 'advice'), [
    (FPN(WIDTHS, 256, 5), 6, '; or set neck.num_outs=6'),
    (FPN(WIDTHS, 256, 5), 3, ''),
    (HRFPN(arch=ARCH), 3, '; or set neck.num_outs=3'),
    (HRNetV2(arch=ARCH, out_channels=256), 3, ''),
    (YOLOXPAFPN(WIDTHS, 256), 5, '')])
def test_number_of_levels_is_offered_if_the_neck_has_this_argument(neck, levels, advice):
    encoder = DeformableDetrTransformerEncoder(1, dict(
        self_attn_cfg=dict(num_levels=levels), ffn_cfg=dict(embed_dims=256, feedforward_channels=8)))
    message = error(backbone(), neck, encoder, 'encoder')
    assert message.partition(f'got {levels}')[1:] == (f'got {levels}', advice)


def test_replacement_of_a_neck_has_the_channels_of_the_outputs():
    message = error(backbone(1, 2, 3), FPN([8, 9, 10], 8, 3), nn.Identity())
    assert message.endswith("replace it by the neck of HRNet: neck=dict(_delete_=True, type='hrnet_plugin.HRFPN', "
                            'in_channels=[32, 64, 128])')
    assert error(backbone(1, 2, 3), HRFPN(in_channels=[32, 64, 128]), nn.Identity()) == ''


def test_segmentation_heads_have_no_arch():
    pytest.importorskip('mmseg')
    from mmseg.models.decode_heads import FCNHead, UPerHead

    def message(kind, channels, indices, **options):
        head = kind(in_channels=channels, in_index=indices, channels=8, num_classes=2, **options)
        return error(backbone(), None, head, 'decode_head')

    assert message(FCNHead, 2048, 3).endswith('Set decode_head.in_channels=128')
    assert message(UPerHead, [16, 32, 64, 99], [0, 1, 2, 3], pool_scales=(1, 2)).endswith(
        'Set decode_head.in_channels=[16, 32, 64, 128]')
