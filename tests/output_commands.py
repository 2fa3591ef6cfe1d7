"""Each subcommand with small inputs and all of its outputs, and child processes whose file operations are watched."""

from __future__ import annotations

import csv
import itertools
import json
import os
import shutil
import signal
import sqlite3
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from prediction_models import write_model
from reproduction_rows import make_record, write_project

from hrnet_plugin.cli.errors import one_line
from hrnet_plugin.cli.main import run
from hrnet_plugin.config_files import list_configs
from hrnet_plugin.evaluation.leaderboard.store import ResultStore
from hrnet_plugin.experiments.sample_set import write_sample_set

DETECTOR, SEGMENTOR = 'faster-rcnn_hrnetv2p-w18-small-v1_sample', 'fcn_hrnetv2-w18-small-v1_sample'
UPSTREAM = 'fcn_hr18s_4xb2-40k_cityscapes-512x1024'
STUDY = f"""
config = {SEGMENTOR!r}
metrics = {{'mIoU': 'mIoU'}}
scale = 1
shape = (64, 64)
seeds = 1
variants = {{'all': dict()}}
"""


@dataclass(frozen=True)
class Case:
    """Subcommand with its inputs and, unless it only reads, an output folder.

    Attributes:
        prepare: Function that writes the inputs to a folder.
        words: Function of the folders of inputs and outputs that returns the arguments.
        names: Names of the files in the output folder, whose content does not change between runs.
        in_work_dir: Whether the output folder has inputs, too. Then ``prepare`` writes them there.
        needs: Modules that must be installed.
        is_slow: Whether a run takes seconds.
    """
    prepare: Callable[[Path], None]
    words: Callable[[Path, Path], list[str]]
    names: tuple[str, ...]
    in_work_dir: bool = False
    needs: tuple[str, ...] = ()
    is_slow: bool = False


def no_inputs(folder):
    folder.mkdir(parents=True, exist_ok=True)


def write_results(folder):
    folder.mkdir(parents=True, exist_ok=True)
    box = [10., 10., 50., 50.]
    truth = dict(images=[dict(id=k, width=99, height=99, file_name=f'{k}.jpg') for k in range(1, 5)],
                 categories=[dict(id=3, name='cat'), dict(id=4, name='dog|')],
                 annotations=[dict(id=k, image_id=k, category_id=3 + k % 2, bbox=box, area=2500, iscrowd=0)
                              for k in range(1, 5)])
    good = [dict(image_id=k, category_id=3 + k % 2, bbox=box, score=0.9) for k in range(1, 5)]
    for name, content in (('truth', truth), ('good', good), ('bad', good[1:])):
        (folder / f'{name}.json').write_text(json.dumps(content))


def write_checkpoint(folder):
    from hrnet_plugin.models import HRNet
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.save(HRNet('w18_small_v1').state_dict(), folder / 'source.pth')


def write_config(folder):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'mine.py').write_text(f'_base_ = [{str(list_configs()[SEGMENTOR])!r}]\n')


def write_images(folder):
    write_sample_set(folder / 'set', train=1, val=1, width=64, height=64)


def write_logs(folder):
    logs = folder / '20260101_000000' / 'vis_data'
    logs.mkdir(parents=True)
    records = [*(dict(step=k, loss=1. / k, lr=.1, iter=k) for k in range(1, 5)), {'mIoU': 40., 'step': 4}]
    (logs / 'scalars.json').write_text(''.join(f'{json.dumps(record)}\n' for record in records))
    (logs / 'config.py').write_text(f'_base_ = [{str(list_configs()[SEGMENTOR])!r}]\n')
    (logs.parent / f'{logs.parent.name}.json').write_text(json.dumps(dict(mIoU=40., time=1.)))


def write_study(folder):
    """Write a study whose only run has finished."""
    from hrnet_plugin.experiments.ablation import all_runs, read_study
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'mine.py').write_text(STUDY)
    study = read_study(str(folder / 'mine.py'))
    for each in all_runs(study, folder, None, 1):
        each.command()
        (each.folder / 'result.json').write_text(json.dumps(dict(
            variant='all', seed=0, metrics={'mIoU': 40.}, step_seconds=1., setting={})))


def write_rows(folder):
    """Write a reproduction with one row, which has been tested."""
    from hrnet_plugin.experiments.reproduction import plan_rows, read_rows
    from hrnet_plugin.experiments.reproduction.state import work_folder
    folder.mkdir(parents=True, exist_ok=True)
    write_project(folder)
    config, checkpoint = folder / 'mine.py', folder / 'mine.pth'
    config.write_text(config.read_text().replace("'data/'", repr(f'{folder}/data/')))
    with (folder / 'rows.csv').open('w', newline='') as file:
        csv.writer(file).writerows(
            [('name', 'config', 'checkpoint', 'images', 'mIoU'), ('a', config, checkpoint, 2, 50)])
    plan, = plan_rows(read_rows(folder / 'rows.csv'), {}, None, one_line)
    ResultStore(work_folder(folder, plan, checkpoint) / 'records.sqlite').append(make_record(time='now'))


def write_predictor(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for file in write_model(folder, SEGMENTOR):
        Path(file).rename(folder / f'mine{Path(file).suffix}')
    Image.new('RGB', (64, 48), (90, 120, 150)).save(folder / 'image.png')


#: Subcommand, with a second word if it has several outputs -> case.
CASES = {
    'config': Case(no_inputs, lambda _, out: ['config', SEGMENTOR, '--out', str(out)], (f'{SEGMENTOR}.py', )),
    'derive': Case(no_inputs, lambda _, out: ['derive', f'mmseg::{UPSTREAM}', '--out', str(out)], (f'{UPSTREAM}.py', ),
                   needs=('mmseg', )),
    'sample-set': Case(no_inputs, lambda _, out: ['sample-set', str(out / 'set'), '--train', '1', '--val', '1',
                                                  '--size', '64', '64'],
                       ('set/sample_set.json', 'set/annotations/instances_val2017.json', 'set/val2017/000000000001.png',
                        'set/stuffthingmaps/train2017/000000000001.png')),
    'convert': Case(write_checkpoint, lambda given, out: [
        'convert', str(given / 'source.pth'), str(out / 'new.safetensors'), '--to', 'official'],
        ('new.safetensors', )),
    'report': Case(write_logs, lambda _, out: ['report', str(out)], ('curve.png', ), in_work_dir=True),
    'compare': Case(write_results, lambda given, out: [
        'compare', str(given / 'bad.json'), str(given / 'good.json'), '--annotations', str(given / 'truth.json'),
        '--draws', '2', '--names', 'bad', 'good', '--out', str(out)],
        ('comparison.md', 'comparison.json', 'classes.csv', 'confusion.csv', 'scores.csv', 'precision_recall.csv'),
        needs=('pycocotools', )),
    'submission pack': Case(write_results, lambda given, out: [
        'submission', 'pack', str(given / 'good.json'), '--images', str(given / 'truth.json'), '--name', 'x',
        '--stand-in', '--out', str(out)], ('detections_test-dev2017_x_results.zip', ), needs=('ijson', )),
    'submission config': Case(no_inputs, lambda _, out: ['submission', 'config', DETECTOR, '--out', str(out / 'x.py')],
                              ('x.py', ), needs=('mmdet', )),
    'record': Case(write_logs, lambda given, out: [
        'record', '--work-dir', str(given), '--data', 'ADE20K', '--split', 'val', '--images', '2', '--store',
        str(out / 'x.sqlite')], ('x.sqlite', ), needs=('mmseg', ), is_slow=True),
    'leaderboard': Case(no_inputs, lambda _, out: ['leaderboard', '--out', str(out)],
                        ('leaderboard.html', 'leaderboard.md', 'leaderboard.csv'), needs=('plotly', ), is_slow=True),
    'ablate': Case(write_study, lambda _, out: ['ablate', str(out / 'mine.py'), '--work-dir', str(out), '--budget',
                                                '0'],
                   ('table.md', 'table.csv', 'results.json', 'figure.png'), in_work_dir=True, needs=('mmseg', ),
                   is_slow=True),
    'reproduce': Case(write_rows, lambda _, out: ['reproduce', '--rows', str(out / 'rows.csv'), '--out', str(out)],
                      ('reproduce.md', 'reproduce.csv', 'records.sqlite'), in_work_dir=True),
    'predict': Case(write_predictor, lambda given, out: [
        'predict', str(given / 'mine.py'), str(given / 'image.png'), '--checkpoint', str(given / 'mine.pth'),
        '--device', 'cpu', '--out', str(out / 'new')],
        ('new/image.png', 'new/predictions.json'), needs=('mmseg', ), is_slow=True),
    'export': Case(write_predictor, lambda given, out: [
        'export', str(given / 'mine.py'), '--checkpoint', str(given / 'mine.pth'), '--to', 'onnx', '--out',
        str(out / 'mine.onnx')], ('mine.onnx', ), needs=('mmseg', 'onnx', 'onnxruntime'), is_slow=True),
    'benchmark': Case(no_inputs, lambda _, out: [
        'benchmark', '--config', SEGMENTOR, '--shape', '64', '64', '--rounds', '1', '--train', '--out',
        str(out / 'x.json')], ('x.json', ), needs=('mmseg', ), is_slow=True),
}
#: Subcommands that only read -> case.
READING = {
    'check': Case(write_images, lambda given, _: ['check', DETECTOR, '--data-root', str(given / 'set')], (),
                  needs=('mmdet', ), is_slow=True),
    'count': Case(write_config, lambda given, _: ['count', str(given / 'mine.py'), '--shape', '64', '64'], (),
                  needs=('mmseg', )),
    'inspect': Case(write_checkpoint, lambda given, _: ['inspect', str(given / 'source.pth')], ()),
}
#: Subcommands without paths, and those that write by upstream's runner and have tests of their own.
OTHERS = {'doctor', 'train', 'test'}


def start(folder: Path, case: Case) -> Path:
    """Write the inputs of a case, and return the folder of its outputs."""
    case.prepare(folder / ('out' if case.in_work_dir else 'given'))
    return folder / 'out'


def content(path: Path) -> object:
    """Return the content of an output as it should be the same in each run."""
    if path.suffix == '.zip':
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    if path.suffix == '.sqlite':
        return [(record.config, record.scores) for record in ResultStore(path).read()]
    if path.name == 'x.json':  # times of a benchmark
        return sorted(json.loads(path.read_text()))
    return path.read_bytes()


def fill(disk: Path) -> None:
    """Fill a disk."""
    with suppress(OSError), (disk / 'filling').open('wb', buffering=0) as file:
        while True:
            file.write(bytes(4096))


def fork(action: Callable[[], int], folder: Path | None = None, at: Callable[[int], None] | None = None) -> int:
    """Start a forked process that prints nothing, and return its ID.

    Args:
        action: Function that returns the exit code.
        folder: Folder whose changes are counted.
        at: Function of the number of the file operation, from 1, that is called before each change of the folder, and
            in the middle of each write.
    """
    child = os.fork()
    if child:
        return child
    code = 99
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(quiet, stream)
        if at is not None:
            _watch(str(folder), at)
        code = action()
    finally:
        os._exit(code)


def exit_code(child: int) -> int | None:
    """Wait for a process. Return its exit code, or None if it was killed."""
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else None


def run_in_child(words: list[str], folder: Path | None = None, at: Callable[[int], None] | None = None) -> int | None:
    """Run a command in a forked process. Return its exit code, or None if it was killed.

    Args:
        words: Subcommand and arguments.
        folder, at: As for :func:`fork`.
    """
    return exit_code(fork(lambda: run(words), folder, at))


def kill_at(number: int) -> Callable[[int], None]:
    """Return a function for :func:`run_in_child` that kills the process at the nth operation."""
    return lambda operation: os.kill(os.getpid(), signal.SIGKILL) if operation == number else None


def copy_to(folder: Path, target: Path) -> Callable[[int], None]:
    """Return a function for :func:`run_in_child` that copies a folder as a kill at each operation would leave it."""
    return lambda operation: shutil.copytree(folder, target / f'{operation:04d}', symlinks=True)


def _watch(folder: str, at: Callable[[int], None]) -> None:
    """Call a function before each change of a folder by this process, and in the middle of each write."""
    operations, nested = itertools.count(1), []

    def count() -> None:
        if not nested:
            nested.append(True)
            at(next(operations))
            nested.clear()

    def audit(event: str, args: tuple[object, ...]) -> None:
        changes = event in ('os.rename', 'os.remove', 'os.mkdir', 'os.rmdir', 'os.chmod', 'os.chown') or (
            event == 'open' and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))
        if changes and str(args[0]).startswith(folder):
            count()

    def halving(write: Callable[..., int]) -> Callable[..., int]:
        def half_first(path: Path, data: str | bytes, *args: object, **kwargs: object) -> int:
            write(path, data[:len(data) // 2], *args, **kwargs)
            count()
            return write(path, data, *args, **kwargs)
        return half_first

    flush, connect = os.fsync, sqlite3.connect

    def counted_flush(descriptor: int) -> None:
        count()
        flush(descriptor)

    def counted_connect(*args: object, **kwargs: object) -> sqlite3.Connection:
        database = connect(*args, **kwargs)
        database.set_trace_callback(lambda _: count())
        return database

    Path.write_text, Path.write_bytes = halving(Path.write_text), halving(Path.write_bytes)
    os.fsync, sqlite3.connect = counted_flush, counted_connect
    sys.addaudithook(audit)
