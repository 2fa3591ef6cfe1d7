"""Initialization from checkpoints of any task: complete loading, or an error that lists the keys."""

from __future__ import annotations

import copy
import pickle
import re
from collections import OrderedDict

import pytest
import torch
from conftest import randomize, upstream_extra
from mmengine.logging import MMLogger
from mmengine.registry import WEIGHT_INITIALIZERS
from mmengine.runner.checkpoint import get_state_dict, load_checkpoint, save_checkpoint
from torch import nn

from hrnet_plugin.checkpoints import Pretrained
from hrnet_plugin.checkpoints.match import match_state_dict, summarize_names
from hrnet_plugin.models import HRFPN, HRNet

SMALL = 'w18_small_v1'
BILINEAR = 'The checkpoint was trained with nearest upsampling in the fusion, but the network uses bilinear'


class Detector(nn.Module):
    """Backbone and neck with the names of hosts."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone
        self.neck = HRFPN(backbone.out_channels, 8)


def saved(model, path, key='state_dict'):
    """Save a checkpoint as mmengine's runner does."""
    weights = get_state_dict(model)
    save_checkpoint({key: weights, 'meta': {}} if key else weights, str(path))
    return str(path)


def initialized(checkpoint, arch=SMALL, allow_partial=False, prefix=None, **options):
    """Return a network initialized from a checkpoint."""
    cfg = dict(type='hrnet_plugin.Pretrained', checkpoint=checkpoint, allow_partial=allow_partial, prefix=prefix)
    network = HRNet(arch, init_cfg=cfg, **options)
    network.init_weights()
    return network


def assert_same(ours, theirs, keys):
    ours, theirs = ours.state_dict(), theirs.state_dict()
    for key in keys:
        assert torch.equal(ours[key], theirs[key]), key


@pytest.fixture
def log(monkeypatch):
    lines = []
    monkeypatch.setattr('hrnet_plugin.checkpoints.pretrained.print_log', lambda text, **_: lines.append(text))
    return lines


@pytest.fixture
def warned(monkeypatch):
    """Return the logged warnings about metadata."""
    lines = []
    monkeypatch.setattr('hrnet_plugin.models.checkpoint_metadata.print_log', lambda text, **_: lines.append(text))
    return lines


@pytest.mark.parametrize('key', ['state_dict', None])
@pytest.mark.parametrize('wrap', [Detector, lambda backbone: backbone], ids=['detector', 'bare'])
def test_the_network_is_found_and_loaded_completely(wrap, key, tmp_path, log):
    source = HRNet(SMALL)
    network = initialized(saved(wrap(source), tmp_path / 'x.pth', key))
    assert_same(network, source, source.state_dict())
    total = len(source.state_dict())
    family, others = (('another model with a backbone', '; ignored: neck') if wrap is Detector
                      else ('a backbone alone', ''))
    assert log == [f'HRNet: loaded {total} of {total} backbone tensors (100%), HRNet-W18-small-v1 of the family '
                   f'"{family}", trained with nearest upsampling{others}; from {tmp_path / "x.pth"}']


def test_one_checkpoint_three_tasks(tmp_path, log, warned):
    """A full-size network has 1830 tensors with four outputs, and 1752 with one."""
    detector = HRNet('w18')
    checkpoint = saved(Detector(detector), tmp_path / 'detector.pth')
    segmentation = initialized(checkpoint, 'w18', host='mmseg')
    assert len(warned) == 1
    assert warned.pop().startswith(BILINEAR)
    assert_same(segmentation, detector, detector.state_dict())
    assert 'loaded 1830 of 1830 backbone tensors (100%), HRNet-W18 of' in log[-1]
    same = initialized(checkpoint, 'w18', host='mmseg', upsample='nearest')
    pose = initialized(checkpoint, 'w18', host='mmpose')
    assert not warned
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        for a, b in zip(same.eval()(x), detector.eval()(x)):
            assert torch.equal(a, b)
        # the finest feature map does not depend on the other fusions
        assert torch.allclose(pose.eval()(x)[0], detector(x)[0], atol=1e-6)
    assert_same(pose, detector, pose.state_dict())
    unused = 'stage4.2.fuse_layers.1, stage4.2.fuse_layers.2, stage4.2.fuse_layers.3'
    assert f'; not in this network: 78 ({unused}); ignored: neck' in log[-1]

    back = saved(pose, tmp_path / 'pose.pth')
    with pytest.raises(ValueError, match=r'must have all 1830 tensors of HRNet, got 1752; 78 are missing: '
                       + unused.replace('.', r'\.') + r'\. To keep their initial values, .*cfg\.allow_partial=True'):
        initialized(back, 'w18')
    network = initialized(back, 'w18', allow_partial=True)
    assert_same(network, pose, pose.state_dict())
    assert 'loaded 1752 of 1830 backbone tensors (96%)' in log[-1]
    assert f'; not in the checkpoint: 78 ({unused})' in log[-1]


def test_a_network_with_fewer_outputs(tmp_path, log):
    theirs = HRNet(SMALL)
    checkpoint = saved(Detector(theirs), tmp_path / 'detector.pth')
    ours = initialized(checkpoint, out_indices=(1, 3))
    assert_same(ours, theirs, ours.state_dict())
    assert 'loaded 384 of 384 backbone tensors (100%)' in log[-1]
    assert '; not in this network: 42 (stage4.0.fuse_layers.0, stage4.0.fuse_layers.2); ignored: neck' in log[-1]
    partial = saved(ours, tmp_path / 'partial.pth')
    with pytest.raises(ValueError, match=r'42 are missing: stage4\.0\.fuse_layers\.0, stage4\.0\.fuse_layers\.2\. To '):
        initialized(partial)
    assert_same(initialized(partial, out_indices=(3, )), ours, HRNet(SMALL, out_indices=(3, )).state_dict())


def test_an_incomplete_checkpoint_does_not_change_the_network(tmp_path):
    checkpoint = saved(HRNet(SMALL, multiscale_output=False), tmp_path / 'x.pth')
    network = HRNet(SMALL)
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    with pytest.raises(ValueError, match='are missing'):
        Pretrained(checkpoint)(network)
    assert all(torch.equal(before[key], tensor) for key, tensor in network.state_dict().items())


def test_another_width_raises(tmp_path):
    checkpoint = saved(HRNet('w18_small_v2'), tmp_path / 'x.pth')
    for allow_partial in (False, True):
        with pytest.raises(ValueError, match='contains HRNet-W18-small-v2, but the config has '
                           r"HRNet-W18-small-v1\. Set backbone\.arch='w18_small_v2' to load it"):
            initialized(checkpoint, allow_partial=allow_partial)


@pytest.mark.parametrize('allow_partial', [False, True])
def test_a_deeper_network_is_not_truncated(allow_partial, tmp_path):
    """W18 has all keys and shapes of W18-small-v2, and more blocks and modules."""
    checkpoint = saved(HRNet('w18'), tmp_path / 'x.pth')
    with pytest.raises(ValueError, match='contains HRNet-W18, but the config has HRNet-W18-small-v2'):
        initialized(checkpoint, 'w18_small_v2', allow_partial=allow_partial)


def without(start, **options):
    """Return the state dict of a network without the keys that start with ``start``."""
    return {name: x for name, x in HRNet(SMALL, **options).state_dict().items() if not name.startswith(start)}


MISMATCHES = {
    'another width': (lambda: HRNet('w18_small_v2').state_dict(), 'contains HRNet-W18-small-v2, but the config has'),
    'other widths and depths': (
        lambda: HRNet(extra=upstream_extra(SMALL) | dict(stage4=dict(
            num_modules=1, num_branches=4, block='BASIC', num_blocks=(1, 1, 1, 1), num_channels=(16, 32, 64, 96)))
        ).state_dict(), r'contains an HRNet with widths \(16, 32, 64, 96\), modules'),
    'the wrong task': (lambda: HRNet(SMALL, host='mmpose').state_dict(), 'must have all 426 tensors of HRNet, got 348;'
                       r' 78 are missing: stage4\.0\.fuse_layers\.1'),
    'a task without a network': (lambda: {f'roi_head.{k}': torch.zeros(1) for k in 'ab'}, 'must contain an HRNet, got'),
    'a stage is missing': (lambda: without('stage3'), r'lacks stage3\.0\.branches\.0\.0\.conv1\.weight, which every'),
    'the last stage is missing': (lambda: without('stage4'), 'must contain an HRNet, got'),
    'a transition is missing': (lambda: without('transition2'), 'are missing: transition2. To keep their initial'),
    'a branch is missing': (lambda: without('stage3.0.branches.2.'), 'lacks stage3'),
    'one tensor is missing': (lambda: without('bn2.running_var'), r'1 are missing: bn2\.running_var\. To keep'),
    'other norms': (lambda: HRNet(SMALL, norm_cfg=dict(type='GN', num_groups=2)).state_dict(), 'are missing: bn1'),
    'other images': (lambda: HRNet(SMALL, in_channels=4).state_dict(),
                     r'backbone\.in_channels must be 4, as in the checkpoint, got 3\. Set init_cfg\.first_conv='),
    'names cut off': (lambda: {name.split('.', 1)[1]: x for name, x in HRNet(SMALL).state_dict().items()
                               if name.startswith('stage4')}, 'must contain an HRNet, got'),
}


@pytest.mark.parametrize('kind', MISMATCHES)
def test_mismatches(kind, tmp_path):
    tensors, message = MISMATCHES[kind]
    torch.save(tensors(), tmp_path / 'x.pth')
    network = HRNet(SMALL)
    before = {key: tensor.clone() for key, tensor in network.state_dict().items()}
    with pytest.raises(ValueError, match=rf'x\.pth.* {message}') as caught:
        Pretrained(str(tmp_path / 'x.pth'))(network)
    assert '\n' not in str(caught.value)
    assert all(torch.equal(before[key], tensor) for key, tensor in network.state_dict().items())
    assert [path.name for path in tmp_path.iterdir()] == ['x.pth']


def _branches(*numbers, widths=(4, 8, 16, 32)):
    stages = {f'stage{s}': dict(num_modules=1, num_branches=b, block='BASIC', num_blocks=(1, ) * b,
                                num_channels=widths[:b]) for s, b in enumerate(numbers, 2)}
    return dict(stages, stage1=upstream_extra(SMALL)['stage1'])


@pytest.mark.parametrize('arch', [_branches(1, 1, 1), _branches(4, 4, 4, widths=(4, 7, 12, 20)), _branches(1, 2, 2)])
def test_networks_with_any_number_of_branches(arch, tmp_path):
    theirs, ours = randomize(HRNet(arch)), HRNet(arch)
    torch.save(theirs.state_dict(), tmp_path / 'x.pth')
    Pretrained(str(tmp_path / 'x.pth'))(ours)
    assert all(torch.equal(x, theirs.state_dict()[key]) for key, x in ours.state_dict().items())


@pytest.mark.parametrize(('arch', 'words'), [
    (_branches(1, 1, 1), r'x\.pth contains HRNet-W18-small-v1, but the config has an HRNet with widths \(4,\)'),
    ('w32_equal_depth', r'but the config has HRNet-W32-equal-depth')])
def test_the_default_in_a_network_with_other_branches(arch, words, tmp_path):
    torch.save(HRNet(SMALL).state_dict(), tmp_path / 'x.pth')
    with torch.device('meta'):
        ours = HRNet(arch)
    with pytest.raises(ValueError, match=words):
        Pretrained(str(tmp_path / 'x.pth'))(ours)


@pytest.mark.parametrize('prefix', ['', 'module.', 'model.backbone.', 'module.model.encoder.'])
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_other_dtypes_and_prefixes(prefix, dtype, tmp_path):
    theirs = HRNet(SMALL).to(dtype)
    torch.save({prefix + name: x for name, x in theirs.state_dict().items()}, tmp_path / 'x.pth')
    ours = initialized(str(tmp_path / 'x.pth'))
    assert all(x.dtype in (torch.float32, torch.int64) for x in ours.state_dict().values())
    assert all(torch.equal(x, theirs.state_dict()[name].to(x.dtype)) for name, x in ours.state_dict().items())


def test_files_without_the_network(tmp_path):
    torch.save({'fc.weight': torch.zeros(1)}, tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=r'must contain an HRNet, got keys of another network: fc\.'):
        initialized(str(tmp_path / 'x.pth'))
    torch.save([torch.zeros(1)], tmp_path / 'y.pth')
    with pytest.raises(ValueError, match='must contain a mapping of names to tensors, got list'):
        initialized(str(tmp_path / 'y.pth'))
    with pytest.raises(FileNotFoundError):
        initialized(str(tmp_path / 'z.pth'))
    (tmp_path / 'page.pth').write_text('error 404')
    with pytest.raises(ValueError, match=r'page\.pth is not a checkpoint'):
        initialized(str(tmp_path / 'page.pth'))


def test_several_networks_require_a_prefix(tmp_path):
    student, teacher = HRNet(SMALL), HRNet(SMALL)
    checkpoint = saved(nn.ModuleDict(dict(student=student, teacher=teacher)), tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=r"contains several HRNets\. Set prefix to one of 'student\.', 'teacher\.'$"):
        initialized(checkpoint)
    with pytest.raises(ValueError, match=r"prefix must be one of 'student\.', 'teacher\.' for .*, got 'tacher\.'"):
        initialized(checkpoint, prefix='tacher.')
    assert_same(initialized(checkpoint, prefix='teacher.'), teacher, teacher.state_dict())


def test_num_batches_tracked_may_be_missing(tmp_path):
    source = HRNet(SMALL)
    weights = {key: tensor for key, tensor in source.state_dict().items() if 'num_batches' not in key}
    torch.save(weights, tmp_path / 'x.pth')
    assert_same(initialized(str(tmp_path / 'x.pth')), source, weights)


def test_a_checkpoint_overrides_zero_init_residual(tmp_path):
    source = HRNet(SMALL)
    network = initialized(saved(source, tmp_path / 'x.pth'), zero_init_residual=True)
    assert_same(network, source, source.state_dict())


def test_the_class_itself_may_be_the_type(tmp_path):
    source = HRNet(SMALL)
    checkpoint = saved(source, tmp_path / 'x.pth')
    init_cfg = [dict(type=Pretrained, checkpoint=checkpoint), dict(type='Kaiming', layer='Conv2d')]
    network = HRNet(SMALL, zero_init_residual=True, init_cfg=init_cfg)
    network.init_weights()
    assert_same(network, source, source.state_dict())


def test_modules_other_than_hrnet_raise(tmp_path):
    checkpoint = saved(Detector(HRNet(SMALL)), tmp_path / 'x.pth')
    neck = HRFPN(arch=SMALL, out_channels=8, init_cfg=dict(type='hrnet_plugin.Pretrained', checkpoint=checkpoint))
    with pytest.raises(TypeError, match=r"'hrnet_plugin.Pretrained' requires hrnet_plugin.HRNet, got HRFPN"):
        neck.init_weights()


def test_initialization_runs_once(tmp_path):
    source = HRNet(SMALL)
    network = initialized(saved(source, tmp_path / 'x.pth'))
    nn.init.zeros_(network.conv1.weight)
    network.init_weights()
    assert network.conv1.weight.abs().sum() == 0


def test_upsampling_is_in_every_checkpoint(tmp_path, warned):
    """It is compared for load_from, testing and resuming, too."""
    for upsample, text in (('nearest', 'nearest'), ('bilinear', 'bilinear'),
                           (dict(mode='bilinear', align_corners=True), 'bilinear, align_corners')):
        checkpoint = saved(Detector(HRNet(SMALL, upsample=upsample)), tmp_path / 'x.pth')
        for other in ('nearest', 'bilinear'):
            load_checkpoint(Detector(HRNet(SMALL, upsample=other)), checkpoint)
            if other != text:
                assert re.search(rf'with {text} upsampling.*uses {other}\..*set backbone\.upsample=', warned.pop())
            assert not warned
    assert len(HRNet(SMALL).state_dict()) == 426  # no key was added for it


def test_unknown_metadata_is_ignored(warned):
    weights = HRNet(SMALL).state_dict()
    weights._metadata['']['upsampling'] = 'area'
    HRNet(SMALL).load_state_dict(weights)
    assert not warned


def test_it_is_built_by_name():
    assert WEIGHT_INITIALIZERS.get('hrnet_plugin.Pretrained') is Pretrained


@pytest.mark.parametrize(('options', 'message'), [
    (dict(checkpoint=None), 'checkpoint must be a path or address, or a list of them, got None'),
    (dict(checkpoint=[]), r'checkpoint must be a path or address, or a list of them, got \[\]'),
    (dict(checkpoint='x', prefix=1), 'prefix must be a string or None, got 1'),
    (dict(checkpoint='x', allow_partial='yes'), "allow_partial must be True or False, got 'yes'")])
def test_wrong_arguments(options, message):
    with pytest.raises(TypeError, match=message):
        Pretrained(**options)


def test_summarize_names():
    names = ['a.x.1', 'a.x.2', 'a.y.1', 'b.1', 'c']
    assert summarize_names(['a.x.1', 'a.x.2', 'c'], names) == ['a.x', 'c']
    assert summarize_names(names, names) == ['a', 'b', 'c']


def test_match_state_dict():
    own = OrderedDict({'a.w': torch.zeros(1), 'a.b': torch.zeros(1)})
    part = match_state_dict(own, {name: torch.ones(1) for name in ('a.w', 'a.extra')})
    assert (part.total, part.missing, part.unused) == (2, ('a.b', ), ('a.extra', ))
    with pytest.raises(ValueError, match=r'a\.w must have real numbers, got torch\.complex64'):
        match_state_dict({'a.w': torch.zeros(1)}, {'a.w': torch.zeros(1, dtype=torch.complex64)})
    with pytest.raises(ValueError, match=r'a\.w must have the shape \(1,\), got \(2,\)'):
        match_state_dict(own, {'a.w': torch.ones(2)})


def test_loaded_tensors_are_logged(tmp_path, caplog):
    logger = MMLogger.get_instance('pretrained-test', log_level='INFO', log_file=str(tmp_path / 'log.txt'))
    assert MMLogger.get_current_instance() is logger
    initialized(saved(HRNet(SMALL), tmp_path / 'x.pth'))
    assert 'HRNet: loaded 426 of 426 backbone tensors' in (tmp_path / 'log.txt').read_text()


def test_copies_and_pickles_compare_metadata(warned):
    """mmengine copies models to average their weights."""
    source = HRNet(SMALL, upsample='bilinear').state_dict()
    network = HRNet(SMALL)
    for copied in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        copied.load_state_dict(source)
        assert 'trained with bilinear upsampling' in warned.pop()
        assert copied.state_dict()._metadata['']['upsampling'] == 'nearest'
