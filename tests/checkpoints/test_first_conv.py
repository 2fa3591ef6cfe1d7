"""Conversion of the first convolution to images with another number or order of channels."""

from __future__ import annotations

import pytest
import torch
from conftest import randomize, relative_error
from mmengine.model import BaseModel, ImgDataPreprocessor
from torch import nn

import hrnet_plugin.plugin  # noqa: F401  (sets the image format of a backbone in a model)
from hrnet_plugin.checkpoints import Pretrained
from hrnet_plugin.checkpoints.convert import from_plugin
from hrnet_plugin.checkpoints.file import Checkpoint, write
from hrnet_plugin.checkpoints.first_conv import adapt_channels
from hrnet_plugin.models import HRNet, HRNetClassifier

TINY = {'stage1': dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(1, ), num_channels=(8, )),
        **{f'stage{s}': dict(num_modules=1, num_branches=s, block='BASIC', num_blocks=(1, ) * s,
                             num_channels=(4, 8, 16, 32)[:s]) for s in (2, 3, 4)}}


class Model(BaseModel):
    """Model of a host, with a data preprocessor, which determines the channel order."""

    def __init__(self, backbone, mean=(127.5, ), std=(60., ), **preprocessor):
        super().__init__(ImgDataPreprocessor(mean, std, **preprocessor))
        self.backbone = backbone

    def forward(self, inputs):
        return self.backbone(inputs)


@pytest.fixture
def log(monkeypatch):
    """Return the lines that are logged, with the warnings about metadata."""
    lines = []
    for module in ('checkpoints.pretrained', 'models.checkpoint_metadata'):
        monkeypatch.setattr(f'hrnet_plugin.{module}.print_log', lambda text, **_: lines.append(text))
    return lines


@pytest.fixture
def saved(tmp_path):
    """Return a function that saves a model with random weights and returns the model in eval mode and the path."""
    def save(model):
        torch.save(dict(state_dict=randomize(model).state_dict()), tmp_path / 'x.pth')
        return model.eval(), str(tmp_path / 'x.pth')
    return save


def adapted(path, in_channels, channel_order=None, **options):
    cfg = dict(type='hrnet_plugin.Pretrained', checkpoint=path, first_conv='adapt', channel_order=channel_order)
    return HRNet(TINY, in_channels=in_channels, init_cfg=cfg, **options)


def assert_same_outputs(ours, images, theirs, other_images):
    """Both compute the same from different images, in single precision."""
    with torch.no_grad():
        for a, b in zip(ours(images), theirs(other_images)):
            assert relative_error(a, b) < 1e-5
    assert a.abs().max() > 1e-3


@pytest.mark.parametrize(('ours', 'theirs'), [(4, 3), (1, 3), (3, 4), (3, 1)])
def test_another_number_of_channels_is_refused_by_default(ours, theirs, saved):
    _, path = saved(HRNet(TINY, in_channels=theirs))
    network = HRNet(TINY, in_channels=ours)
    before = network.conv1.weight.clone()
    with pytest.raises(ValueError, match=rf"x\.pth: backbone\.in_channels must be {theirs}, as in the checkpoint, got "
                       rf"{ours}\. Set init_cfg\.first_conv='adapt'"):
        Pretrained(path)(network)
    assert torch.equal(network.conv1.weight, before)


@pytest.mark.parametrize(('options', 'message'), [
    (dict(first_conv='adapted'), "first_conv must be one of 'exact', 'adapt', got 'adapted'"),
    (dict(first_conv=True), "first_conv must be one of 'exact', 'adapt', got True"),
    (dict(first_conv='adapt', channel_order='rgb'), "channel_order must be one of 'RGB', 'BGR', got 'rgb'"),
    (dict(channel_order='RGB'), "first_conv must be 'adapt' with channel_order, got 'exact'")])
def test_invalid_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        Pretrained('x.pth', **options)


def gray(images, channels):
    return images.repeat(1, channels, 1, 1)


def mean_for_missing(images, channels):
    missing = channels - images.size(1)
    return torch.cat([images, images.mean(1, keepdim=True).repeat(1, missing, 1, 1)], 1)


@pytest.mark.parametrize(('theirs', 'ours', 'convert', 'rule'), [
    (3, 1, gray, 'sum of all channels'),
    (9, 1, gray, 'sum of all channels'),
    (3, 2, mean_for_missing, 'missing channels are the mean of the others'),
    (9, 4, mean_for_missing, 'missing channels are the mean of the others'),
    (4, 3, mean_for_missing, 'missing channels are the mean of the others'),
    (3, 4, lambda x, _: x[:, :3], 'weights of additional channels start at zero'),
    (3, 9, lambda x, _: x[:, :3], 'weights of additional channels start at zero'),
    (4, 9, lambda x, _: x[:, :4], 'weights of additional channels start at zero'),
    (1, 3, lambda x, _: x.mean(1, keepdim=True), 'gray is the mean of all channels')])
def test_outputs_are_those_of_the_checkpoint_on_its_channels(theirs, ours, convert, rule, saved, log):
    source, path = saved(HRNet(TINY, in_channels=theirs))
    network = adapted(path, ours)
    network.init_weights()
    images = torch.randn(2, ours, 32, 64)
    assert_same_outputs(network.eval(), images, source, convert(images, theirs))
    line, = log
    assert f'; first convolution adapted from {theirs} to {ours} channels: {rule}; from ' in line
    assert 'Outputs differ' not in line


@pytest.mark.parametrize(('layout', 'host'), [
    ('official', 'mmdet'), ('timm', 'mmpose'), ('mmpretrain', 'mmseg'), ('mmdet', 'mmpose'), ('mmpose', 'mmseg'),
    ('mmseg', 'mmdet')])
def test_checkpoints_of_other_publishers_and_tasks(layout, host, tmp_path):
    source = randomize(HRNetClassifier(TINY, 10)).eval()
    ours = source.state_dict()
    if layout.startswith('mm') and layout != 'mmpretrain':
        ours = {name: x for name, x in ours.items() if name.startswith('backbone.')}
    write(from_plugin(Checkpoint('x', ours, {}, {}), 'hrnet_plugin', layout), tmp_path / 'x.pth')
    network = adapted(str(tmp_path / 'x.pth'), 1, host=host, multiscale_output=True, upsample='nearest')
    network.init_weights()
    images = torch.randn(1, 1, 32, 32)
    assert_same_outputs(network.eval(), images, source.backbone, gray(images, 3))


@pytest.mark.parametrize('value', [114.5, 0.])
def test_a_gray_image_gives_the_outputs_of_the_repeated_image(value, saved):
    """Both preprocessors use one mean and standard deviation for all channels."""
    source, path = saved(Model(HRNet(TINY), 3 * [value], 3 * [57.6], bgr_to_rgb=True))
    model = Model(adapted(path, 1), [value], [57.6])
    model.backbone.init_weights()
    images = torch.randint(0, 256, (1, 1, 32, 32), dtype=torch.uint8)
    inputs = [part.data_preprocessor(dict(inputs=x))['inputs']
              for part, x in ((model, images), (source, gray(images, 3)))]
    assert_same_outputs(model.eval(), inputs[0], source, inputs[1])


def test_half_precision_is_summed_in_single_precision():
    weight = torch.tensor([2048., 1., 1.]).view(1, 3, 1, 1).half()
    assert adapt_channels(weight, 1).item() == 2050
    assert adapt_channels(weight.double(), 1).dtype == torch.float64


def test_additional_channels_are_trained(saved):
    _, path = saved(HRNet(TINY))
    network = adapted(path, 5)
    network.init_weights()
    network.train()(torch.randn(2, 5, 32, 32))[0].square().mean().backward()
    gradient = network.conv1.weight.grad.abs().amax((0, 2, 3))
    assert (gradient[3:] > 0.1 * gradient[:3].min()).all()


@pytest.mark.parametrize(('stored', 'options', 'order', 'text'), [
    # the checkpoint's preprocessor, the network's, channel_order, logged conversion
    (dict(bgr_to_rgb=True), dict(), None, 'BGR (RGB in the checkpoint)'),
    (dict(), dict(), None, 'BGR'),
    (dict(bgr_to_rgb=True), dict(), 'RGB', 'RGB'),
    (dict(), dict(), 'RGB', 'RGB (BGR in the checkpoint)'),
    (dict(bgr_to_rgb=True), dict(mean=None, std=None), None, 'RGB'),
    (dict(bgr_to_rgb=True), dict(mean=None, std=None), 'BGR', 'BGR (RGB in the checkpoint)'),
    # mmsegmentation does not convert images with four channels
    (dict(bgr_to_rgb=True), dict(bgr_to_rgb=True), None, 'BGR (RGB in the checkpoint)')])
def test_channel_order(stored, options, order, text, saved, log):
    source, path = saved(Model(HRNet(TINY), **stored))
    model = Model(adapted(path, 4, order), **options)
    model.backbone.init_weights()
    images = torch.randn(1, 4, 32, 32)
    colors = images[:, :3].flip(1) if 'checkpoint' in text else images[:, :3]
    assert_same_outputs(model.eval(), images, source, colors)
    line, = log  # no warning
    assert f'from 3 to 4 channels: weights of additional channels start at zero, channel order {text}; from' in line


def test_channel_order_of_color_images(saved, log):
    source, path = saved(Model(HRNet(TINY), bgr_to_rgb=True))
    model = Model(adapted(path, 3))
    model.backbone.init_weights()
    images = torch.randn(1, 3, 32, 32)
    assert_same_outputs(model.eval(), images, source, images.flip(1))
    assert len(log) == 1
    assert '; first convolution adapted from 3 to 3 channels: channel order BGR (RGB in the checkpoint); from' in log[0]


def stored_images(network):
    """Return the image format that a checkpoint of the network has."""
    return network.state_dict()._metadata[''].get('images')


@pytest.mark.parametrize(('std', 'suffix'), [(60., ''), (1., ', std 1')])
@pytest.mark.parametrize('order', ['RGB', 'BGR'])
@pytest.mark.parametrize('channels', [3, 4])
def test_an_explicit_order_is_that_of_the_network(channels, order, std, suffix, saved, log):
    """It takes precedence over the data preprocessor, before and after the weights are loaded."""
    source, path = saved(Model(HRNet(TINY), std=(std, ), bgr_to_rgb=True))
    model = Model(adapted(path, channels, order), std=(std, ))
    assert stored_images(model.backbone) == order + suffix
    model.backbone.init_weights()
    assert stored_images(model.backbone) == order + suffix
    images = torch.randn(1, channels, 32, 32)
    colors = images[:, :3]
    assert_same_outputs(model.eval(), images, source, colors if order == 'RGB' else colors.flip(1))
    Model(adapted(path, channels, order), std=(std, )).load_state_dict(model.state_dict())
    line, = log  # no warning
    assert ('adapted' in line) == (channels == 4 or order == 'BGR')


def test_an_explicit_order_without_normalization(saved, log):
    _, path = saved(Model(HRNet(TINY), std=(1., ), bgr_to_rgb=True))
    network = adapted(path, 3, 'BGR')
    network.init_weights()
    assert stored_images(network) == 'BGR, std 1'
    assert len(log) == 1


@pytest.mark.parametrize(('theirs', 'ours', 'preprocessor'), [
    (3, 1, dict(bgr_to_rgb=True)), (3, 2, dict(bgr_to_rgb=True)), (3, 1, dict(std=(1., ))), (1, 1, dict()),
    (1, 3, dict(bgr_to_rgb=True)), (2, 4, dict(bgr_to_rgb=True))])
def test_fewer_than_three_channels_have_no_order(theirs, ours, preprocessor, saved, log):
    source, path = saved(Model(HRNet(TINY, in_channels=theirs)))
    assert (stored_images(source.backbone) is None) == (theirs < 3)
    if theirs < 3:  # as in checkpoints of older versions
        file = torch.load(path, weights_only=False)
        file['state_dict']._metadata['backbone']['images'] = 'BGR'
        torch.save(file, path)
    model = Model(adapted(path, ours), **preprocessor)
    model.backbone.init_weights()
    assert (stored_images(model.backbone) is None) == (ours < 3)
    line, = log  # no warning
    assert 'channel order' not in line


@pytest.mark.parametrize(('theirs', 'stored', 'ours', 'reason'), [
    (3, dict(), 2, 'backbone.in_channels=2'), (3, dict(), 1, 'backbone.in_channels=1'),
    (3, None, 3, 'a checkpoint whose channel order is unknown'),
    (3, None, 4, 'a checkpoint whose channel order is unknown'),
    (1, dict(), 3, 'a checkpoint whose channel order is unknown')])
def test_an_order_without_effect_is_refused(theirs, stored, ours, reason, saved):
    backbone = HRNet(TINY, in_channels=theirs)
    _, path = saved(backbone if stored is None else Model(backbone, **stored))
    with pytest.raises(ValueError, match=rf"init_cfg.channel_order must be None with {reason}, got 'RGB'"):
        adapted(path, ours, 'RGB').init_weights()


@pytest.mark.parametrize('channels', [3, 4, 5])
def test_order_of_checkpoints_with_additional_channels(channels, saved, log):
    source, path = saved(Model(HRNet(TINY, in_channels=4)))
    model = Model(adapted(path, channels, 'RGB'))
    model.backbone.init_weights()
    images = torch.randn(1, channels, 32, 32)
    rest = images[:, 3:4] if channels > 3 else images.mean(1, keepdim=True)
    assert_same_outputs(model.eval(), images, source, torch.cat([images[:, :3].flip(1), rest], 1))
    line, = log
    assert f'from 4 to {channels} channels: ' in line
    assert 'channel order RGB (BGR in the checkpoint); from' in line


def test_other_facts_about_the_images_are_compared(saved, log):
    _, path = saved(Model(HRNet(TINY), std=(1., )))
    Model(adapted(path, 3), bgr_to_rgb=True).backbone.init_weights()
    warning, line = log
    assert 'trained on RGB, std 1 images, but the network receives RGB. Set' in warning
    assert 'channel order RGB (BGR in the checkpoint)' in line


@pytest.mark.parametrize(('theirs', 'ours'), [(3, 3), (4, 4)])
def test_the_same_channels_are_loaded_as_they_are(theirs, ours, saved, log):
    source, path = saved(Model(HRNet(TINY, in_channels=theirs)))
    model = Model(adapted(path, ours))
    model.backbone.init_weights()
    assert torch.equal(model.backbone.conv1.weight, source.backbone.conv1.weight)
    line, = log
    assert 'adapted' not in line


def test_a_frozen_stem_cannot_learn_additional_channels(saved):
    _, path = saved(HRNet(TINY))
    with pytest.raises(ValueError, match=r"frozen_stages must be -1 for init_cfg\.first_conv='adapt' from 3 to 4 chan"):
        adapted(path, 4, frozen_stages=0).init_weights()
    adapted(path, 1, frozen_stages=0).init_weights()
    adapted(path, 3, frozen_stages=0).init_weights()


def test_only_plain_convolutions_are_converted(saved):
    _, path = saved(HRNet(TINY, conv_cfg=dict(type='ConvWS')))
    with pytest.raises(ValueError, match=r"conv_cfg must be None for init_cfg\.first_conv='adapt', got {'type': 'Conv"):
        adapted(path, 1, conv_cfg=dict(type='ConvWS')).init_weights()
    adapted(path, 3, conv_cfg=dict(type='ConvWS')).init_weights()


def test_another_network_is_still_refused(saved):
    _, path = saved(nn.ModuleDict(dict(backbone=HRNet('w18_small_v1'))))
    with pytest.raises(ValueError, match='contains HRNet-W18-small-v1, but the config has an HRNet with'):
        adapted(path, 1).init_weights()
