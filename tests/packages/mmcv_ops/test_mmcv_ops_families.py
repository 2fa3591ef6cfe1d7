"""Every family's training step and prediction is the same with mmcv_torch_ops as with a compiled mmcv."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import mmcv_torch_ops
import numpy as np
import pytest
from mmcv_ops_helpers import compiled
from paths import ROOT

from hrnet_plugin.experiments.sample_set import write_sample_set

PACKAGE = ROOT / 'packages' / 'mmcv_ops'
CONFIGS = sorted(ROOT.glob('configs/[a-z]*/*_sample.py'))

pytestmark = pytest.mark.integration


def run(folder, *search_path):
    """Return what the probe prints with these folders first on the search path."""
    output = folder / 'results.json'
    probe = Path(__file__).with_name('mmcv_ops_probe.py')
    command = [sys.executable, probe, folder.parent / 'sample', output, *CONFIGS]
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(map(str, (*search_path, ROOT))))
    done = subprocess.run(list(map(str, command)), env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(output.read_text())


@pytest.fixture(scope='module')
def results(tmp_path_factory):
    """The numbers of both sets of operators."""
    installed = Path(compiled().__file__).parent
    root = tmp_path_factory.mktemp('families')
    write_sample_set(root / 'sample', 6, 3, 256, 192)
    folders = {name: root / name for name in ('compiled', 'torch')}
    for folder in folders.values():
        folder.mkdir()
    shutil.copytree(installed, folders['torch'] / 'mmcv', ignore=shutil.ignore_patterns('*.so', '__pycache__'))
    shutil.copy(PACKAGE / 'mmcv' / '_ext.py', folders['torch'] / 'mmcv')
    return run(folders['compiled']), run(folders['torch'], folders['torch'], PACKAGE)


def difference(ours, theirs):
    """Return the largest difference over the largest value."""
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    assert ours.shape == theirs.shape
    return np.abs(ours - theirs).max(initial=0) / max(np.abs(theirs).max(initial=0), 1e-30)


def test_origins(results):
    theirs, ours = (result['origin'] for result in results)
    assert theirs['origin'] == 'compiled'
    assert theirs['file'].endswith('.so')
    assert ours['origin'] == mmcv_torch_ops.ORIGIN
    assert ours['file'].endswith('_ext.py')


@pytest.mark.parametrize('name', [path.stem for path in CONFIGS])
def test_family(results, name):
    theirs, ours = (result['results'][name] for result in results)
    assert ours.keys() == theirs.keys()
    assert ours['operators'] == theirs['operators']
    if 'scores' in ours:
        assert ours['scores']
    differences = {key: difference(ours[key], theirs[key]) for key in ours if key != 'operators'}
    print(name, {key: f'{value:.1e}' for key, value in differences.items()})
    assert max(differences.values()) <= 1e-6, differences


def test_the_operators_of_the_families(results):
    called = {name for result in results[1]['results'].values() for name in result['operators']}
    assert {'nms', 'roi_align_forward', 'roi_align_backward', 'softnms'} <= called
    assert called <= set(mmcv_torch_ops.__all__)
