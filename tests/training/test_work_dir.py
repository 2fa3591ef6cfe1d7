"""Choice of the checkpoint to resume from, and locks of work directories."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from paths import ROOT

from hrnet_plugin.training import work_dir
from hrnet_plugin.training.work_dir import (
    check_resumable,
    checkpoints,
    earlier_run_warning,
    newest_checkpoint,
    reserve_work_dir,
)


def save(path, age=0, whole=True):
    torch.save(dict(x=torch.zeros(100)), path)
    if not whole:
        path.write_bytes(path.read_bytes()[:200])
    os.utime(path, (time.time() - age, ) * 2)


@pytest.mark.parametrize(('files', 'chosen'), [
    (dict(epoch_1=True), 'epoch_1'), (dict(epoch_9=True, epoch_10=True), 'epoch_10'),
    (dict(iter_90=True, iter_100=False), 'iter_90'), (dict(epoch_1=False), None), ({}, None),
    (dict(epoch_1=True, best_AP_epoch_2=True), 'epoch_1'), ({'epoch_1': True, 'epoch_1-01234567': True}, 'epoch_1'),
    (dict(epoch_1=True, pretrained_w18=True), 'epoch_1')])
@pytest.mark.parametrize('pointer', [None, '', 'gone.pth', '\0\0\0\0'])
def test_the_newest_complete_checkpoint(files, chosen, pointer, tmp_path, monkeypatch):
    """Runs that were killed leave incomplete files, and an empty or wrong ``last_checkpoint``."""
    (tmp_path / 'here').mkdir()
    monkeypatch.chdir(tmp_path / 'here')
    save(Path('epoch_99.pth'))  # from another run, in the current directory
    folder = tmp_path / 'work'
    folder.mkdir()
    for age, (name, whole) in enumerate(reversed(files.items())):
        save(folder / f'{name}.pth', 100 * age, whole)
    if pointer is not None:
        (folder / 'last_checkpoint').write_text(str(folder / pointer) if pointer == 'gone.pth' else pointer)
    notices = []
    assert newest_checkpoint(folder, notices) == (chosen and str(folder / f'{chosen}.pth'))
    half = [name for name, whole in files.items() if not whole]
    assert [line for line in notices if 'is incomplete' in line] == [
        f'{folder / name}.pth is incomplete: the run was killed while it wrote this checkpoint' for name in half]
    assert any('gone.pth, which is missing' in line for line in notices) == (pointer == 'gone.pth')


@pytest.mark.parametrize(('ages', 'chosen'), [
    (dict(epoch_12=100, epoch_9=0), 'epoch_12'),  # copied in another order
    (dict(epoch_12=100, epoch_13=0), 'epoch_13'),  # killed before it was named
    (dict(epoch_12=0, epoch_24=100), 'epoch_12')])  # of an earlier, longer run
def test_last_checkpoint_and_later_ones(ages, chosen, tmp_path):
    for name, age in ages.items():
        save(tmp_path / f'{name}.pth', age)
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_12.pth'))
    assert newest_checkpoint(tmp_path, []) == str(tmp_path / f'{chosen}.pth')
    save(tmp_path / 'epoch_12.pth', whole=False)
    assert newest_checkpoint(tmp_path, []) == str(tmp_path / f'{next(name for name in ages if name != "epoch_12")}.pth')


@pytest.mark.parametrize(('names', 'chosen'), [(('iter_1234.pth', 'epoch_3.pth'), 'epoch_3.pth'),
                                              (('epoch_3.pth', 'iter_2.pth'), 'iter_2.pth')])
def test_epochs_and_iterations_are_compared_by_time(names, chosen, tmp_path):
    """A run that a scheduler has ended leaves both. It may be killed before it writes ``last_checkpoint``."""
    for age, name in enumerate(names):
        torch.save({}, tmp_path / name)
        os.utime(tmp_path / name, (1000 + age, 1000 + age))
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / names[0]))
    assert newest_checkpoint(tmp_path, []) == str(tmp_path / chosen)


def test_an_empty_file_is_not_a_checkpoint(tmp_path):
    save(tmp_path / 'epoch_1.pth', 100)
    (tmp_path / 'epoch_2.pth').touch()
    assert newest_checkpoint(tmp_path, []) == str(tmp_path / 'epoch_1.pth')


def test_checkpoints_in_other_folders_and_with_other_names(tmp_path):
    (tmp_path / 'work').mkdir()
    (tmp_path / 'out').mkdir()
    save(tmp_path / 'out' / 'step-1.ckpt', 100)
    save(tmp_path / 'out' / 'step-2.ckpt')
    pointer = tmp_path / 'work' / 'last_checkpoint'
    pointer.write_text(str(tmp_path / 'out' / 'step-3.ckpt'))
    assert newest_checkpoint(tmp_path / 'work', []) == str(tmp_path / 'out' / 'step-2.ckpt')
    for text in ('s3://bucket/epoch_1.pth', str(tmp_path / 'out')):  # of another storage, or of DeepSpeed
        pointer.write_text(text)
        assert newest_checkpoint(tmp_path / 'work', []) == text


def test_a_given_checkpoint_that_is_incomplete_or_missing(tmp_path):
    save(tmp_path / 'epoch_1.pth', 100)
    save(tmp_path / 'epoch_2.pth', whole=False)
    check_resumable(str(tmp_path / 'epoch_1.pth'))
    with pytest.raises(ValueError, match=r'epoch_2\.pth is not a complete checkpoint: .*\. The newest .*epoch_1\.pth'):
        check_resumable(str(tmp_path / 'epoch_2.pth'))
    (tmp_path / 'page.pth').write_text('<!DOCTYPE html><html>')
    with pytest.raises(ValueError, match=r'page\.pth is a web page, not a checkpoint: .*\. The newest .*epoch_1\.pth'):
        check_resumable(str(tmp_path / 'page.pth'))
    with pytest.raises(FileNotFoundError, match=r'got \S*epoch_3\.pth, which is missing\. The newest .*epoch_1\.pth'):
        check_resumable(str(tmp_path / 'epoch_3.pth'))
    with pytest.raises(FileNotFoundError, match=r'got nowhere/x\.pth, which is missing$'):
        check_resumable('nowhere/x.pth')


def test_warning_about_an_earlier_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(Path('epoch_99.pth'))
    assert earlier_run_warning(tmp_path / 'new') is None
    folder = tmp_path / 'work'
    folder.mkdir()
    (folder / 'other.txt').touch()
    assert earlier_run_warning(folder) is None
    save(folder / 'epoch_1.pth', 100)
    save(folder / 'best_AP_epoch_1.pth')
    line = earlier_run_warning(folder)
    assert f'{folder} has 2 checkpoints of an earlier run (epoch_1.pth, ' in line
    assert '--resume' in line
    assert '--work-dir' in line
    assert len(checkpoints(folder)) == 1


def test_a_work_dir_is_used_by_one_run(tmp_path, monkeypatch):
    monkeypatch.setattr(work_dir, '_LOCK_TIMEOUT_SECONDS', 0.5)
    with reserve_work_dir(tmp_path), pytest.raises(RuntimeError, match='in which another run trains now'), \
            reserve_work_dir(tmp_path):
        pass
    with reserve_work_dir(tmp_path):
        pass


@pytest.mark.skipif(not os.path.isdir('/proc/self/fd'), reason='needs /proc')
def test_a_dataloader_worker_does_not_keep_the_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(work_dir, '_LOCK_TIMEOUT_SECONDS', 0.5)
    with reserve_work_dir(tmp_path):
        child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'], close_fds=False, pass_fds=tuple(
            int(name) for name in os.listdir('/proc/self/fd') if os.path.exists(f'/proc/self/fd/{name}')))
    try:
        with reserve_work_dir(tmp_path):
            pass
    finally:
        child.kill()
        child.wait()


def test_a_killed_run_releases_the_lock(tmp_path):
    code = (f'import sys; sys.path.insert(0, {str(ROOT)!r})\n'
            'import os, time\nfrom hrnet_plugin.training.work_dir import reserve_work_dir\n'
            f'with reserve_work_dir({str(tmp_path)!r}):\n    print("held", flush=True); time.sleep(120)')
    process = subprocess.Popen([sys.executable, '-W', 'ignore', '-c', code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == 'held\n'
    finally:
        process.kill()
        process.wait()
    with reserve_work_dir(tmp_path):
        pass
