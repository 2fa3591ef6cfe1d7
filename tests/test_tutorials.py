"""Tutorials as a reader follows them: every file and every command of a page, in an empty folder.

Commands run as written. Jobs are only made smaller, by options behind them, and initial weights are random.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import torch
from doc_commands import SHOWN_FILE, TUTORIALS, joined_lines
from paths import ROOT

pytestmark = pytest.mark.slow

PAGES = {path.stem: path.read_text(encoding='utf-8') for path in TUTORIALS}
INSTALLATION = ('make ', 'source ')  # not run
_BLOCK = re.compile(r'^```(sh|python)\n(.*?)^```', re.S | re.M)

_NO_WORKERS = [f'{loader}_dataloader.{entry}' for loader in ('train', 'val', 'test')
               for entry in ('num_workers=0', 'persistent_workers=False')]
_SMALL_IMAGES = [f'{loader}_dataloader.dataset.pipeline.{number}.scale=(160,128)'
                 for loader, number in (('train', 2), ('val', 1), ('test', 1))]
# after so few iterations no detection has a high score
_ALL_DETECTIONS = 'model.test_cfg.rcnn.score_thr=0.0'
_RANDOM = ['model.backbone.init_cfg=None', 'model.backbone.norm_eval=False']
_SHORT = ['train_dataloader.dataset.indices=2', 'train_cfg.val_interval=12', 'default_hooks.checkpoint.interval=12']
_FEW_PROPOSALS = ['model.train_cfg.rpn_proposal.nms_pre=100', 'model.train_cfg.rpn_proposal.max_per_img=50',
                  'model.train_cfg.rcnn.sampler.num=32', 'model.test_cfg.rpn.nms_pre=100',
                  'model.test_cfg.rpn.max_per_img=50']
_MINE = [*_NO_WORKERS, *_SMALL_IMAGES, *_FEW_PROPOSALS, _ALL_DETECTIONS]
# pattern of a command -> options that make its job smaller; the first match counts
SMALLER = {
    'hrnet sample-set *': ['--train', '8', '--val', '4'],
    'hrnet train mine/resnet50.py *': ['--cfg-options', *_MINE, *_RANDOM, *_SHORT, 'model.backbone.frozen_stages=-1'],
    'hrnet train mine/hrnet.py *': ['--cfg-options', *_MINE, *_RANDOM, *_SHORT],
    'hrnet test mine/resnet50.py *': ['--cfg-options', *_MINE],
    'hrnet test mine/hrnet.py *': ['--cfg-options', *_MINE],
    'hrnet * faster-rcnn_*_sample *': ['--cfg-options', _ALL_DETECTIONS],
    'hrnet train mine/pose_from_detector.py': ['--cfg-options', 'train_cfg.val_interval=30',
                                               'default_hooks.checkpoint.interval=30'],
    'hrnet train mine/segmentation_from_detector.py': [
        '--cfg-options', 'train_cfg.max_iters=4', 'train_cfg.val_interval=4', 'default_hooks.checkpoint.interval=4'],
    'hrnet train mine/detector_from_pose.py': ['--cfg-options', 'train_cfg.max_epochs=1', _ALL_DETECTIONS],
    'hrnet compare *': ['--draws', '20'],
    'hrnet test mine/pose.py *': ['--cfg-options', *_NO_WORKERS[2:]],
}


def steps(text: str) -> Iterator[tuple[str, str]]:
    """Yield the files of a page, as name and text, and its commands, as '' and the command line, in order."""
    for match in _BLOCK.finditer(text):
        if match[1] == 'sh':
            yield from (('', line) for line in joined_lines(match[2]))
        elif shown := SHOWN_FILE.match(match[0]):
            yield shown[2], shown[1]


def commands(text: str) -> list[str]:
    """Return the command lines of a page, without those that install."""
    return [line for name, line in steps(text) if not name and not line.startswith(INSTALLATION)]


def smaller(line: str) -> str:
    """Return a command line with the options that make its job smaller."""
    options = next((words for pattern, words in SMALLER.items() if fnmatchcase(line, pattern)), [])
    return f'{line} {shlex.join(options)}' if options else line


@pytest.fixture(scope='module')
def programs(tmp_path_factory):
    """Return a folder with ``hrnet`` and ``mim`` of the working tree, and ``python`` of the tests."""
    folder = tmp_path_factory.mktemp('programs')
    for name, words in (('hrnet', '-m hrnet_plugin'), ('mim', "-c 'from mim.cli import cli; cli()'"), ('python', '')):
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -W ignore {words} "$@"\n')
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture(scope='module')
def follow(programs):
    """Return a function that follows a page in a folder."""
    def run(page: str, folder: Path) -> dict[str, str]:
        """Write the files of a page, run its commands, and return command line -> what it printed."""
        environment = {**os.environ, 'PATH': f'{programs}{os.pathsep}{os.environ["PATH"]}',
                       'PYTHONPATH': f'{ROOT}{os.pathsep}{ROOT / "packages" / "mmcv_ops"}'}
        printed = {}
        for name, text in steps(PAGES[page]):
            if name:
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_text(text)
            elif not text.startswith(INSTALLATION):
                done = subprocess.run(['sh', '-c', smaller(text)], cwd=folder, env=environment, text=True, timeout=300,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
                assert done.returncode == 0, f'{text}\n{done.stdout[-4000:]}'
                printed[text] = done.stdout
        return printed

    return run


@pytest.fixture(scope='module')
def first_detector(follow, tmp_path_factory):
    """Follow the first tutorial; return its folder, and what the commands printed."""
    pytest.importorskip('mmdet')
    folder = tmp_path_factory.mktemp('reader')
    return folder, follow('first_detector', folder)


def test_every_tutorial_is_followed():
    source = Path(__file__).read_text(encoding='utf-8')
    assert [page for page in PAGES if f"follow('{page}'" not in source] == []


def test_first_detector(first_detector):
    folder, _ = first_detector
    for name in ('work/epoch_6.pth', 'work/curve.png', 'work/pictures.png', 'predictions/vis/000000000001.png'):
        assert (folder / name).is_file(), name


def test_from_resnet50_in_seven_commands(follow, tmp_path):
    pytest.importorskip('mmdet')
    before, after = PAGES['from_resnet50'].split('\n## 1. ')
    assert len(commands(after)) <= 7
    assert all(line.startswith(('hrnet sample-set', 'hrnet train mine/resnet50.py')) for line in commands(before))
    printed = follow('from_resnet50', tmp_path)
    tested = [text for line, text in printed.items() if line.startswith('hrnet test')]
    assert len(tested) == 2
    assert all(re.search(r'coco/bbox_mAP: -?\d', text) for text in tested)
    assert len(list(tmp_path.glob('work_dirs/hrnet/*/pictures/*.png'))) == 4
    compared, = (text for line, text in printed.items() if line.startswith('hrnet compare'))
    assert re.search(r'95 % interval [-+\d.]+ to [-+\d.]+', compared)
    assert '| missed |' in compared


def test_one_checkpoint(first_detector, follow):
    folder, _ = first_detector
    printed = follow('one_checkpoint', folder)
    loaded = [re.search(r'HRNet: (loaded \d+ of \d+ backbone tensors \(\d+%\))', text)[1]
              for line, text in printed.items() if line.startswith('hrnet train')]
    assert loaded == ['loaded 348 of 348 backbone tensors (100%)', 'loaded 426 of 426 backbone tensors (100%)',
                      'loaded 348 of 426 backbone tensors (82%)']
    assert all(number in PAGES['one_checkpoint'] for number in loaded)


def test_pose_checkpoint(follow, tmp_path):
    """Test random weights under the keys of the official file, which cannot be downloaded here."""
    pytest.importorskip('mmpose')
    pytest.importorskip('mim')
    from mmengine.config import Config
    from mmengine.registry import MODELS, DefaultScope

    import hrnet_plugin
    from hrnet_plugin.checkpoints.families.official import POSE
    config = Config.fromfile(str(hrnet_plugin.cfg('td-hm_hrnetv1-w32_210e_coco-256x192')))
    with DefaultScope.overwrite_default_scope('mmpose'):
        weights = MODELS.build(config.model).state_dict()
    official = {name.removeprefix('backbone.').removeprefix('head.'): tensor for name, tensor in weights.items()}
    assert all(marker in official for marker in POSE.markers)
    (tmp_path / 'downloads').mkdir()
    torch.save(official, tmp_path / 'downloads/pose_hrnet_w32_256x192.pth')
    printed = follow('pose_checkpoint', tmp_path)
    described = next(text for line, text in printed.items() if line.startswith('hrnet inspect'))
    assert re.search(r'family +official pose\n', described)
    # the converted file gives the same metrics with mmpose's tool as the official one with ours
    tested = [re.search(r'Epoch\(test\).*?(coco/AP: .*?) data_time', text)[1]
              for line, text in printed.items() if ' test ' in line]
    assert len(tested) == 2
    assert tested[0] == tested[1]
    assert not any('unexpected key' in text for text in printed.values())


def test_compare_models(first_detector, follow):
    folder, _ = first_detector
    printed = follow('compare_models', folder)
    compared = next(text for line, text in printed.items() if line.startswith('hrnet compare'))
    assert re.search(r'95 % interval [-+\d.]+ to [-+\d.]+', compared)
    ranked = next(text for line, text in printed.items() if line.startswith('hrnet leaderboard'))
    assert 'leaderboard 1' in ranked
    assert 'leaderboard 2' in ranked
    assert (folder / 'leaderboard/leaderboard.html').is_file()
