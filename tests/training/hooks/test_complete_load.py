"""CompleteLoadHook: checkpoints of all families load completely, or raise an error."""

from __future__ import annotations

import pytest
import torch
from conftest import randomize
from mmengine.runner import Runner
from safetensors.torch import save_file

from hrnet_plugin.models import HRNet, HRNetClassifier
from hrnet_plugin.training.hooks import CompleteLoadHook

ARCH = 'w18_small_v1'


def classifier(arch=ARCH, classes=7):
    return randomize(HRNetClassifier(arch, num_classes=classes)).eval()


def official(model):
    return {name.removeprefix('backbone.').removeprefix('head.'): x for name, x in model.state_dict().items()}


@pytest.fixture
def load(tmp_path):
    """Write tensors, load them by a runner, and return its model."""
    def act(tensors, model=None, part='', suffix='.pth', scheme='hrnet://'):
        path = tmp_path / f'weights{suffix}'
        (save_file if suffix == '.safetensors' else torch.save)(tensors, path)
        model = classifier() if model is None else model
        runner = Runner(model, str(tmp_path / 'run'), load_from=f'{scheme}{path}', default_scope='mmengine',
                        custom_hooks=[dict(type='hrnet_plugin.CompleteLoadHook', part=part)], log_level='ERROR',
                        experiment_name=f'{tmp_path.name}_{len(list(tmp_path.iterdir()))}')
        runner.load_or_resume()
        return model
    return act


@torch.no_grad()
@pytest.mark.parametrize(('names', 'suffix', 'scheme'), [
    (official, '.pth', 'hrnet://'), (official, '.safetensors', 'hrnet://'), (dict, '.pth', 'hrnet://'),
    (lambda model: {f'module.{name}': x for name, x in model.state_dict().items()}, '.pth', 'hrnet://'),
    (lambda model: dict(model.state_dict()), '.pth', '')])
def test_matching_checkpoints_are_loaded(load, names, suffix, scheme):
    theirs = classifier()
    tensors = theirs.state_dict() if names is dict else names(theirs)
    ours = load(tensors, suffix=suffix, scheme=scheme)
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(ours(x), theirs(x))


def test_fusion_paths_to_outputs_that_the_model_lacks_are_allowed(load):
    theirs, ours = randomize(HRNet(ARCH)), HRNet(ARCH, out_indices=(0, 2))
    load(theirs.state_dict(), ours, scheme='')
    assert all(torch.equal(x, theirs.state_dict()[name]) for name, x in ours.state_dict().items())
    with pytest.raises(ValueError, match=r'54 are missing \(stage4\.0\.fuse_layers\.1, stage4\.0\.fuse_layers\.3\)'):
        load(ours.state_dict(), HRNet(ARCH), scheme='')


REFUSED = {
    'another width': (lambda: official(classifier('w18_small_v2')), r'must have the shape'),
    'a backbone alone': (lambda: dict(classifier().backbone.state_dict()), r'126 are missing \(head\)'),
    'another number of classes': (lambda: official(classifier(classes=8)), r'head\.classifier\.weight must have the'),
    'more than the model has': (lambda: {**official(classifier()), 'classifier.0.bias': torch.zeros(1)},
                                r'1 are not in the model \(head\.classifier\.0\)'),
    'no network': (lambda: {'fc.weight': torch.zeros(2, 2)}, r'are missing \(backbone, head\)'),
    'two networks': (lambda: {f'{who}.{name}': x for who in ('student', 'teacher')
                              for name, x in official(classifier()).items()}, r'are missing \(backbone, head\)'),
    'a detector': (lambda: {**{f'backbone.{k}': x for k, x in classifier().backbone.state_dict().items()},
                            'neck.reduction_conv.conv.weight': torch.zeros(4, 4), 'roi_head.x': torch.zeros(1)},
                   r'126 are missing \(head\)'),
}


@pytest.mark.parametrize('case', REFUSED)
def test_mismatches_raise_before_tensors_are_copied(load, case):
    tensors, message = REFUSED[case]
    model = classifier()
    before = {name: x.clone() for name, x in model.state_dict().items()}
    with pytest.raises(ValueError, match=message) as error:
        load(tensors(), model)
    assert 'weights.pth' in str(error.value)
    assert '\n' not in str(error.value)
    assert all(torch.equal(x, before[name]) for name, x in model.state_dict().items())


def test_part_ignores_other_heads(load):
    theirs, ours = classifier(classes=8), classifier()
    ours = load(official(theirs), ours, part='backbone')
    assert torch.equal(ours.backbone.conv1.weight, theirs.backbone.conv1.weight)
    with pytest.raises(ValueError, match='shape'):
        load(official(classifier('w18_small_v2')), classifier(), part='backbone')


def test_without_the_hook_mmengine_raises_no_error(tmp_path):
    """This is the reason for the hook."""
    torch.save(classifier().backbone.state_dict(), tmp_path / 'x.pth')
    Runner(classifier(), str(tmp_path / 'run'), load_from=str(tmp_path / 'x.pth'), log_level='ERROR',
           experiment_name=tmp_path.name).load_or_resume()


def test_part_must_be_a_string():
    with pytest.raises(TypeError, match='part must be the name of a submodule of the model, got 3'):
        CompleteLoadHook(3)
