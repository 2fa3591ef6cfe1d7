"""Command lines of the documents: each one parses, and is run here or listed with the reason why it is not."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import torch
from catalogue import CONFIG_FILES
from doc_commands import (
    DETECTOR,
    DOCUMENTS,
    PLACEHOLDERS,
    SAMPLE,
    TUTORIALS,
    arguments,
    canonical,
    check_other_program,
    command_lines,
    joined_lines,
    mentions,
    parse,
)
from paths import ROOT
from PIL import Image

from hrnet_plugin.cli.commands import COMMANDS
from hrnet_plugin.cli.main import run

LINES = sorted({line for document in DOCUMENTS for line in command_lines(document)})
# those of tutorials are run by tests/test_tutorials.py
LISTED = sorted({line for document in DOCUMENTS if document not in TUTORIALS for line in command_lines(document)})
TOOLS = {path.stem for path in (ROOT / 'hrnet_plugin' / '.mim' / 'tools').rglob('*.py')}

# Patterns of canonical command lines. These take less than 3 s each, those of SLOW up to a minute.
FAST = ['hrnet --help', 'hrnet config', 'hrnet config w40', 'hrnet config NAME --out *']
SLOW = ['hrnet config NAME', 'hrnet derive mm*', 'hrnet doctor*', 'hrnet sample-set*', 'hrnet ablate',
        'hrnet count NAME*', 'hrnet count CONFIG', 'hrnet count mine/config.py', 'hrnet count faster-rcnn_*',
        'hrnet inspect FILE', 'hrnet convert FILE *', 'hrnet leaderboard*', 'hrnet reproduce --dry-run ?*',
        'hrnet record --config *', 'hrnet compare *', 'hrnet submission config *', 'hrnet submission check *',
        'hrnet train --help', 'sqlite3 *']
# pattern -> why the command lines are not run here
NOT_RUN = {
    'make coverage*': 'runs these tests',
    'make docs': 'builds all pages for minutes',
    'make lint': 'part of make test',
    'make test': 'runs these tests',
    'make train': 'trains for minutes; tests/test_mim.py runs its steps for one epoch',
    'make setup*': 'installs packages; tests/scripts/test_setup_env.py tests its decisions',
    'pip *': 'changes the environment',
    'MMCV_WITH_OPS=1 pip *': 'compiles for minutes',
    'python scripts/write_tables.py': 'writes to the checkout; tests/scripts/test_write_tables.py runs it on a copy',
    'python scripts/try_stack.py *': 'installs packages; tests/scripts/test_try_stack.py tests its decisions',
    '*python benchmarks/*': 'measures for minutes',
    'python scripts/fuzz.py *': 'runs in tests/scripts/test_fuzz.py',
    '.venv/bin/pytest': 'runs these tests',
    'pytest *': 'part of make test',
    'mim train hrnet_plugin *_coco*.py*': 'needs COCO',
    'mim train hrnet_plugin *_cityscapes.py': 'needs Cityscapes',
    'mim train hrnet_plugin *_sample.py*': 'trains for minutes; tests/test_mim.py runs one epoch',
    'mim train hrnet_plugin NAME.py*': 'trains for minutes; tests/test_mim.py runs one epoch',
    'mim train hrnet_plugin CONFIG.py*': 'trains for minutes; tests/training/test_runner.py resumes runs',
    'mim test hrnet_plugin *_coco.py *': 'needs COCO',
    'mim test hrnet_plugin *_sample.py *': 'needs a trained checkpoint; tests/test_mim.py has one',
    'mim test hrnet_plugin NAME.py *': 'needs a trained checkpoint; tests/test_mim.py has one',
    'mim test hrnet_plugin CONFIG.py *': 'needs a trained checkpoint; tests/test_mim.py has one',
    'mim train mm*': 'needs a config of the reader; tests/test_mim.py runs tools of the hosts',
    'mim test mm*': 'needs a config of the reader; tests/test_mim.py runs tools of the hosts',
    'mim download hrnet_plugin *': 'needs a network; tests/test_mim.py downloads from a local server',
    'mim search hrnet_plugin': 'needs an installed wheel; tests/test_mim.py has one',
    'PYTHONPATH=. hrnet train mine/bands_*': 'needs data of the reader; tests/configs/test_other_channels.py trains it',
    'hrnet train mine/retinanet_hrnetv2p-w18_1x_coco.py': 'needs COCO',
    'hrnet train NAME*': 'trains for minutes; tests/test_mim.py runs one epoch',
    'hrnet test NAME *': 'needs a trained checkpoint; tests/test_mim.py has one',
    'sbatch *': 'needs a Slurm cluster; tests/training/test_slurm.py has one',
    'hrnet predict *': 'needs a trained checkpoint; tests/cli/test_predict_command.py has one',
    'hrnet check *': 'needs the dataset of the config; tests/cli/test_check_command.py has a small one',
    'hrnet report *': 'needs the logs of a run; tests/test_mim.py has them',
    'hrnet record --work-dir *': 'needs the logs of a test; tests/test_mim.py has them',
    'hrnet export *': 'needs a checkpoint; tests/cli/test_export.py has one',
    'hrnet count --paper': 'takes minutes; tests/evaluation/counting compares all rows',
    'hrnet benchmark *': 'takes minutes; tests/test_mim.py runs it at 64 x 64',
    'hrnet ablate *': 'trains for an hour; tests/experiments/ablation runs small studies',
    'hrnet reproduce --dry-run': 'reads all configs for a minute',
    "hrnet reproduce '*": 'needs COCO; tests/experiments/reproduction has rows of the sample set',
    'hrnet reproduce --[rtw]*': 'needs released weights and data; tests/experiments/reproduction has its own',
    'python predict.py model.*': 'a program of the page; tests/prediction/test_export_programs.py runs it',
    'trtexec *': 'needs TensorRT',
    'hrnet submission pack *': 'needs detections of test-dev; tests/test_mim.py has a stand-in',
}


def matches(line, patterns):
    return [pattern for pattern in patterns if fnmatchcase(canonical(line), pattern)]


def lines_of(patterns):
    """Return the command lines that match; of those with one canonical form, the first."""
    return list({canonical(line): line for line in reversed(LISTED) if matches(line, patterns)}.values())


@pytest.mark.parametrize('line', [line for line in LINES if arguments(line) is not None])
def test_a_command_line_parses(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / PLACEHOLDERS['FOLDER']).mkdir()
    tool = re.match(r'mim run hrnet_plugin (\S+)', line)
    assert tool is None or PLACEHOLDERS.get(tool[1], tool[1]) in TOOLS
    if '--help' not in line:
        parse(arguments(line))
        return
    with pytest.raises(SystemExit, match=r'^0$'):
        parse(arguments(line))


@pytest.mark.parametrize('line', [line for line in LINES if arguments(line) is None])
def test_a_command_line_of_another_program_is_valid(line):
    check_other_program(line)


@pytest.mark.parametrize('line', LINES)
def test_configs_in_a_command_line_are_shipped(line):
    assert [name for name in re.findall(r'[\w-]+_hrnetv[\w-]+', line) if name not in CONFIG_FILES] == []


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_named_commands_exist(document):
    for name in mentions(document):
        program, *_, command = name.split()
        assert program == 'mim' or command in COMMANDS, name
        assert not name.startswith('mim run hrnet_plugin ') or command in TOOLS, name


@pytest.mark.parametrize('line', LISTED)
def test_a_command_line_is_run_or_listed(line):
    assert matches(line, [*FAST, *SLOW, *NOT_RUN])


@pytest.mark.parametrize('pattern', [*FAST, *SLOW, *NOT_RUN])
def test_a_pattern_matches_a_command_line(pattern):
    assert lines_of([pattern])


@pytest.mark.parametrize('reason', sorted(set(NOT_RUN.values())))
def test_tests_that_a_reason_names_exist(reason):
    assert all((ROOT / path).exists() for path in re.findall(r'tests/[\w/.]+', reason))


def test_lines_are_joined():
    block = 'hrnet config w40   # a comment\n\nhrnet test A \\\n    B\n$ sqlite3 x "SELECT a\n   FROM b"\n'
    assert list(joined_lines(block)) == ['hrnet config w40', 'hrnet test A B', 'sqlite3 x "SELECT a FROM b"']


@pytest.mark.parametrize('line', [
    'hrnet trian NAME', 'hrnet config --all', 'hrnet count faster-rcnn_hrnetv2p-w99_1x_coco', 'hrnet ablate poses',
    'hrnet --halp', 'mim test hrnet_plugin NAME.py', 'mim run hrnet_plugin benchmark', 'hrnet train unknown.py'])
def test_a_wrong_command_line_is_refused(line):
    with pytest.raises((AssertionError, KeyError, SystemExit)) as caught:
        parse(arguments(line))
    assert not isinstance(caught.value, SystemExit) or caught.value.code != 0


def hrnet(folder, *words):
    """Run ``hrnet`` in a folder."""
    environment = {**os.environ, 'PYTHONPATH': str(ROOT)}
    done = subprocess.run([sys.executable, '-W', 'ignore', '-m', 'hrnet_plugin', *words], cwd=folder, env=environment,
                          capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip()


@pytest.mark.parametrize('line', lines_of(FAST))
def test_a_fast_command_line_runs(line, tmp_path):
    hrnet(tmp_path, *arguments(line))


def write_detections(folder, annotations, shift):
    """Write the ground-truth boxes, shifted, as the detections of a test."""
    truth = json.loads(annotations.read_text())
    boxes = [dict(image_id=box['image_id'], category_id=box['category_id'], score=0.5, bbox=[
        box['bbox'][0] + shift, *box['bbox'][1:]]) for box in truth['annotations']]
    log = folder / '20250101_000000'  # as in a work directory
    log.mkdir(parents=True, exist_ok=True)
    for place in (folder, log):
        (place / 'results.bbox.json').write_text(json.dumps(boxes))


def write_pose_and_maps(folder, name, root):
    """Write the ground-truth keypoints as the results of a test, and label maps without any object."""
    log = folder / f'{name}_pose' / '20250101_000000'
    log.mkdir(parents=True)
    truth = json.loads((root / 'annotations/person_keypoints_val2017.json').read_text())
    (log / 'results.keypoints.json').write_text(json.dumps([dict(
        image_id=a['image_id'], category_id=a['category_id'], score=0.5, keypoints=a['keypoints'])
        for a in truth['annotations']]))
    (folder / f'{name}_maps').mkdir()
    for file in (root / 'stuffthingmaps/val2017').glob('*.png'):
        with Image.open(file) as image:
            Image.new('L', image.size).save(folder / f'{name}_maps' / file.name.replace('_labelTrainIds', ''))


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Prepare a folder with all files that the command lines read."""
    for package in ('mmdet', 'plotly', 'pycocotools'):
        pytest.importorskip(package)
    from hrnet_plugin.models import HRNetClassifier
    folder = tmp_path_factory.mktemp('reader')
    for name in ('mine', 'work_dirs', PLACEHOLDERS['FOLDER']):
        (folder / name).mkdir()
    (folder / 'mine/config.py').write_text(f"_base_ = [__import__('hrnet_plugin').cfg('{SAMPLE}')]\n")
    torch.save(HRNetClassifier('w18_small_v1').state_dict(), folder / PLACEHOLDERS['FILE'])
    hrnet(folder, 'sample-set', 'data/sample')
    annotations = folder / 'data/sample/annotations/instances_val2017.json'
    shutil.copy2(annotations, folder)
    for name, shift in (('.', 0), ('A', 0), ('B', 5), ('work_A', 0), ('work_B', 5)):
        write_detections(folder / name, annotations, shift)
    for name in 'AB':
        write_pose_and_maps(folder, name, folder / 'data/sample')
    shutil.copy2(annotations.with_name('person_keypoints_val2017.json'), folder)
    shutil.copytree(folder / 'data/sample/stuffthingmaps', folder / 'stuffthingmaps')
    hrnet(folder, 'record', '--config', SAMPLE, '--results', 'results.bbox.json', '--annotations', str(annotations))
    (folder / 'work_dirs/reproduce').mkdir()
    for store in ('a.sqlite', 'b.sqlite', 'work_dirs/reproduce/records.sqlite'):
        shutil.copy2(folder / 'work_dirs/leaderboard.sqlite', folder / store)
    hrnet(folder, 'compare', 'A/results.bbox.json', 'B/results.bbox.json', '--annotations', annotations.name, '--draws',
          '20', '--out', 'compared')
    return folder


@pytest.mark.slow
@pytest.mark.parametrize('line', lines_of(SLOW))
def test_a_slow_command_line_runs(line, folder, monkeypatch, capsys):
    """Run in this process, which has imported the hosts. The tutorials and tests/test_mim.py start processes."""
    monkeypatch.chdir(folder)
    for output in ('test-dev.py', Path('mine') / f'{DETECTOR}.py'):
        (folder / output).unlink(missing_ok=True)
    if line.startswith('sqlite3 '):
        _, store, query = shlex.split(line)
        with sqlite3.connect(folder / store) as connection:
            assert connection.execute(query).fetchall()
        return
    words = arguments(line)
    try:
        code = run(words)
    except SystemExit as exited:  # --help
        code = exited.code
    out, error = capsys.readouterr()
    # the doctor may find problems in the environment of the tests
    assert code in ((0, 1) if words[0] == 'doctor' else (0, )), error[-2000:]
    assert out.strip()
