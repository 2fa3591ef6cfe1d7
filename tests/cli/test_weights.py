"""The subcommands ``inspect`` and ``convert``, also as scripts of mim."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from paths import ROOT
from safetensors.torch import load_file, save_file

from hrnet_plugin.cli import convert, inspect_checkpoint
from hrnet_plugin.models import HRNet, HRNetClassifier

SHIMS = ROOT / 'hrnet_plugin' / '.mim' / 'tools'


@pytest.fixture
def official(tmp_path):
    """Write a checkpoint of the official classification code."""
    state = HRNetClassifier('w18_small_v1', num_classes=10).state_dict()
    names = {name: name.removeprefix('backbone.').removeprefix('head.') for name in state}
    torch.save({names[name]: tensor for name, tensor in state.items()}, tmp_path / 'official.pth')
    return tmp_path / 'official.pth'


def run(name, *words):
    done = subprocess.run([sys.executable, str(SHIMS / f'{name}.py'), *map(str, words)], capture_output=True,
                          text=True, check=False, env={'PYTHONPATH': str(ROOT), 'PATH': ''})
    return done.returncode, done.stdout + done.stderr


def test_inspect_as_a_script(official):
    code, text = run('checkpoints/inspect', official)
    assert code == 0, text
    lines = [' '.join(line.split()) for line in text.splitlines()]  # columns are as wide as their longest entry
    for line in ('family official classification, and timm', 'backbone: images RGB', 'backbone: fusion_operator sum'):
        assert line in lines
    for words in ('HRNet-W18-small-v1, 4 of 4 outputs', 'backbone 426, head 126'):
        assert words in text
    code, text = run('checkpoints/inspect', official.with_name('none.pth'))
    assert (code, text) == (2, f'hrnet inspect: error: {official.parent}/none.pth: No such file or directory '
                               '(traceback: --debug)\n')


def test_converting_back_gives_identical_tensors(official, capsys):
    folder = official.parent
    convert.main([str(official), str(folder / 'small.safetensors'), '--to', 'mmpretrain'])
    convert.main([str(folder / 'small.safetensors'), str(folder / 'back.safetensors'), '--to', 'official'])
    assert 'tensors of HRNet-W18-small-v1, from the family "mmpretrain" to official' in capsys.readouterr().out
    first, back = torch.load(official), load_file(folder / 'back.safetensors')
    assert first.keys() == back.keys()
    assert all(torch.equal(first[name], back[name]) for name in first)


def test_networks_with_fewer_outputs(tmp_path, capsys):
    source, target = tmp_path / 'partial.safetensors', tmp_path / 'official.safetensors'
    save_file(HRNet('w18_small_v1', out_indices=(0, 2)).state_dict(), source)
    convert.main([str(source), str(target), '--to', 'timm'])
    assert 'tensors of HRNet-W18-small-v1 (branches 0, 2), from the family' in capsys.readouterr().out
    assert load_file(target).keys() == load_file(source).keys()
    inspect_checkpoint.main([str(target)])
    assert 'HRNet-W18-small-v1, 2 of 4 outputs (branches 0, 2), 3 channels in' in capsys.readouterr().out


def test_the_backbone_alone_for_a_host(official):
    target = official.with_name('detector.pth')
    with pytest.raises(ValueError, match='Add --backbone to write the backbone alone'):
        convert.main([str(official), str(target), '--to', 'mmdet'])
    assert not target.exists()
    convert.main([str(official), str(target), '--to', 'mmdet', '--backbone'])
    loaded = torch.load(target, weights_only=True)['state_dict']
    HRNet('w18_small_v1').load_state_dict({name.removeprefix('backbone.'): x for name, x in loaded.items()})
    assert loaded._metadata['backbone']['upsampling'] == 'nearest'


def test_unknown_keys_are_not_dropped_silently(tmp_path):
    torch.save({**HRNet('w18_small_v1').state_dict(), 'surplus': torch.zeros(1), 'final_layer.weight': torch.zeros(1)},
               tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=r'must have known keys only, got 1 unknown ones \(surplus\)'):
        convert.main([str(tmp_path / 'x.pth'), str(tmp_path / 'y.pth'), '--to', 'mmpose'])
