"""Necks and heads of users, which the build-time checks must neither run nor refuse."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn

import hrnet_plugin.plugin  # noqa: F401  (enables the checks)
from hrnet_plugin.models import HRFPN, HRNet, HRNetV2
from hrnet_plugin.training.compatibility.origin import host_of, is_known, is_ours

pytest.importorskip('mmdet')
from mmdet.models.dense_heads import RetinaHead
from mmdet.models.necks import BFP, FPN, DyHead, YOLOV3Neck

ARCH, WIDTHS = 'w18_small_v1', [16, 32, 64, 128]
STRIDES = (4, 8, 16, 32, 64)


class Model(nn.Module):
    def __init__(self, neck, head, backbone=None, name='bbox_head'):
        super().__init__()
        self.backbone = HRNet(ARCH) if backbone is None else backbone
        if neck is not None:
            self.neck = neck
        setattr(self, name, head)


def retina(strides=STRIDES, channels=256):
    anchors = dict(type='AnchorGenerator', octave_base_scale=4, scales_per_octave=3, ratios=[1.], strides=list(strides))
    return RetinaHead(2, channels, anchor_generator=anchors)


def of_host(base, package='mmdet.models', **methods):
    """Return a subclass as if it was defined in a host."""
    return type(base.__name__, (base, ), {'__module__': package, **methods})


class Drop(nn.Module):
    """Neck that drops the first level."""

    def forward(self, feats):
        return feats[1:]


class Coarse(nn.Module):
    """Neck that reads some of its inputs."""

    in_channels = WIDTHS[1:]

    def forward(self, feats):
        return feats[1:]


class Asserting(FPN):
    def forward(self, feats):
        assert len(feats) == 0, 'must not run'


class Embedded(FPN):
    """Neck with a position embedding for one image size."""

    def __init__(self):
        super().__init__(WIDTHS, 256, 5)
        self.embedding = nn.Parameter(torch.zeros(1, 256, 64, 64))

    def forward(self, feats):
        first, *others = super().forward(feats)
        return first + self.embedding, *others


class FewerLevels(HRFPN):
    def forward(self, inputs):
        return super().forward(inputs)[1:]


class FewerMaps(HRNet):
    def forward(self, x):
        return super().forward(x)[1:]


@pytest.mark.parametrize(('neck', 'strides'), [
    (Coarse(), (8, 16, 32)),
    (nn.Sequential(HRFPN(arch=ARCH), Drop()), STRIDES[1:]),
    (nn.Sequential(HRFPN(arch=ARCH), Drop(), BFP(256, 4)), STRIDES[1:]),
    (nn.Sequential(HRNetV2(arch=ARCH), Drop(), HRFPN([7])), (16, 32, 64, 128, 256)),
    (FewerLevels(arch=ARCH), STRIDES[1:]),
    (Asserting(WIDTHS, 256, 5), STRIDES),
    (Asserting(WIDTHS[1:], 256, 5), STRIDES),
    (Embedded(), STRIDES),
    (nn.Sequential(of_host(FPN)(WIDTHS, 256, 5), nn.Sequential(Drop())), STRIDES[1:])])
def test_necks_are_not_refused(neck, strides):
    Model(neck, retina(strides))


def test_host_necks_with_modules_of_users_do_not_run():
    neck = FPN(WIDTHS, 256, 5)
    neck.fpn_convs[0].conv = Drop()
    Model(neck, retina((1, 2)))
    hooked = FPN(WIDTHS, 256, 5)
    hooked.register_forward_hook(lambda *_: pytest.fail('must not run'))
    Model(hooked, retina((1, 2)))


def test_backbones_are_not_refused():
    Model(FPN(WIDTHS[1:], 256, 5), retina((8, 16, 32, 64, 128)), FewerMaps(ARCH))
    # HRFPN does not know the strides of another backbone
    Model(HRFPN([7, 8]), retina((8, 16, 32, 64, 128)), nn.Conv2d(3, 4, 3))
    with pytest.raises(ValueError, match=r'bbox_head.in_channels must be 256'):
        Model(HRFPN([7, 8]), retina(channels=128), nn.Conv2d(3, 4, 3))


def head(**attributes):
    made = Drop()
    vars(made).update(attributes)
    return made


@pytest.mark.parametrize(('name', 'part'), [
    ('bbox_head', head(in_channels=[16, 32], in_index=[0, 1])),
    ('bbox_head', head(in_channels=240)),
    ('rpn_head', head(in_channels=7, regress_ranges=[1, 2])),
    ('mask_head', head(in_channels=7, protonet=1)),
    ('mask_head', head(in_channels=7, resize_feats=1, strides=[8, 8])),
    ('semantic_head', head(end_level=9, conv_upsample_layers=nn.ModuleList([nn.Conv2d(7, 7, 1)]))),
    ('panoptic_head', head(pixel_decoder=head(in_channels=[7]))),
    ('head', head(in_channels=7)), ('decode_head', head(in_channels=7, in_index=9))])
@pytest.mark.parametrize('neck', [None, HRFPN(arch=ARCH)])
def test_heads_are_not_refused(name, part, neck):
    Model(neck, part, name=name)


def test_derived_heads_are_not_refused():
    class OwnLateral(RetinaHead):
        """Head that adapts the channels itself."""

    ours = OwnLateral(2, 128)
    Model(HRFPN(arch=ARCH), ours)
    layer = head(self_attn=head(num_levels=3))
    Model(None, head(layers=nn.ModuleList([layer])), name='encoder')


def test_parts_of_host_heads_are_not_refused():
    part = head(in_channels=7, featmap_strides=[9], num_ins=2, fusion_level=0, out_channels=5)
    names = ('bbox_roi_extractor', 'mask_roi_extractor', 'semantic_head', 'semantic_roi_extractor', 'glbctx_head',
             'point_head')
    whole = of_host(nn.Module)()
    for name in names:
        setattr(whole, name, part)
    whole.bbox_head = nn.ModuleList([part])
    Model(HRFPN(arch=ARCH), whole, name='roi_head')


def test_lists_of_channels_with_indices_are_not_compared():
    chosen = of_host(nn.Module)()
    chosen.in_channels = [16, 32]
    with pytest.raises(ValueError, match=r'bbox_head.in_channels must be'):
        Model(None, chosen)
    chosen.in_index = [0, 1]
    Model(None, chosen)


def change_all(self, feats):
    """Change everything that a forward method can change."""
    self.calls, self.seen = getattr(self, 'calls', 0) + 1, feats[0]
    self.notes.append(1)
    random.random(), np.random.rand(), torch.rand(1)
    return FPN.forward(self, feats)


def test_necks_run_without_effects():
    neck = of_host(FPN, forward=change_all)(WIDTHS, 256, 5, norm_cfg=dict(type='BN'))
    neck.notes = []
    before = {name: tensor.clone() for name, tensor in neck.state_dict().items()}
    head, backbone = retina((9, )), HRNet(ARCH)
    states = random.getstate(), np.random.get_state()[1:3], torch.get_rng_state()
    with pytest.raises(ValueError, match='strides must be'):  # it ran
        Model(neck, head, backbone)
    assert not hasattr(neck, 'calls')
    assert neck.notes == []
    assert random.getstate() == states[0]
    assert np.random.get_state()[2] == states[1][1]
    assert (np.random.get_state()[1] == states[1][0]).all()
    assert torch.equal(torch.get_rng_state(), states[2])
    assert all(torch.equal(tensor, before[name]) for name, tensor in neck.state_dict().items())


def test_necks_run_once_per_model():
    runs = []

    def forward(self, feats):
        runs.append(1)
        return FPN.forward(self, feats)

    kind = of_host(FPN, forward=forward)
    model = Model(kind(WIDTHS, 256, 5), retina())
    model.rpn_head = retina()
    assert len(runs) == 1
    model.neck = kind(WIDTHS, 256, 5, start_level=1)
    with pytest.raises(ValueError, match='strides must be'):
        model.bbox_head = retina()
    assert len(runs) == 2
    model.backbone = HRNet(ARCH, out_indices=(1, 2, 3))
    with pytest.raises(ValueError, match=r'neck.in_channels must be \[32, 64, 128\]'):
        model.bbox_head = retina()


def asserts(self, feats):
    raise AssertionError('not ready')


def embeds(self, feats):
    return feats[0] + nn.Parameter(torch.zeros(1, 16, 64, 64))


def item(self, feats):
    return feats[0][:int(feats[0].sum().item())]


def of_other_device(self, feats):
    return torch.cat([feats[0], torch.zeros(2, 16, 512, 512, device='cpu')], 1)


def convolves(self, feats):
    return nn.functional.conv2d(feats[0], torch.zeros(8, 7, 1, 1))


def adds(self, feats):
    feats[0].clone().add_(feats[1])


def counts(self, feats):
    assert len(feats) == 2
    return feats


def indexes(self, feats):
    return feats[4]


@pytest.mark.parametrize('forward', [asserts, embeds, item, of_other_device])
def test_other_errors_of_necks_are_ignored(forward):
    Model(of_host(nn.Module, forward=forward)(), retina((1, 2)))


@pytest.mark.parametrize('forward', [convolves, adds, counts, indexes])
def test_errors_for_channels_and_number_of_inputs_are_raised(forward):
    with pytest.raises(ValueError, match=r'neck \(Module\) must accept the 4 feature maps of the backbone'):
        Model(of_host(nn.Module, forward=forward)(), nn.Identity())


def test_necks_without_meta_kernels_keep_the_levels(monkeypatch):
    def unsupported(self, feats):
        raise NotImplementedError('no kernel')

    monkeypatch.setattr(BFP, 'forward', unsupported)
    monkeypatch.setattr(DyHead, 'forward', unsupported)
    for neck, channels in ((BFP(256, 5), 256), (DyHead(256, 128, 1), 128)):
        Model(nn.Sequential(HRFPN(arch=ARCH), neck), retina(channels=channels))
        with pytest.raises(ValueError, match=r'strides must be \[4, 8, 16, 32, 64\]'):
            Model(nn.Sequential(HRFPN(arch=ARCH), neck), retina(STRIDES[1:], channels))
    with pytest.raises(ValueError, match=r'bbox_head.in_channels must be 128'):
        Model(nn.Sequential(HRFPN(arch=ARCH), DyHead(256, 128, 1)), retina())


def test_host_necks_with_the_coarsest_input_first():
    Model(YOLOV3Neck(3, [128, 64, 32], [64, 32, 16]), nn.Identity(), HRNet(ARCH, out_indices=(1, 2, 3)))
    with pytest.raises(ValueError, match=r'neck.in_channels must be \[16, 32, 64, 128\]'):
        Model(YOLOV3Neck(3, [128, 32, 64], [64, 32, 16]), nn.Identity())


def test_origin():
    base = of_host(nn.Module, 'mmpose.models.heads')
    mine = type('Mine', (base, ), {'__module__': 'mine'})()
    ours = type('Ours', (base, ), {'__module__': 'hrnet_plugin.models'})()
    assert [host_of(part) for part in (base(), mine, ours, nn.Identity())] == ['mmpose', None, 'mmpose', None]
    assert [is_known(part) for part in (base(), mine, ours, nn.Identity())] == [True, False, True, True]
    assert [is_ours(part) for part in (base(), mine, ours)] == [False, False, True]
    other = type('Other', (nn.Module, ), {'__module__': 'mmpose_extensions'})()
    assert not is_known(other)
