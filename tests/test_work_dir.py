"""Which checkpoint a run goes on from, and that two runs do not share a folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from hrnet_plugin import work_dir
from hrnet_plugin.work_dir import check_resumable, checkpoints, newest_checkpoint, reserved, warn_of_earlier_run

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def logged(monkeypatch):
    lines = []
    monkeypatch.setattr(work_dir, 'print_log', lambda text, **_: lines.append(text))
    return lines


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
def test_the_newest_complete_checkpoint(files, chosen, pointer, tmp_path, logged):
    """Killed while it saved, a run leaves half a file, or a last_checkpoint that is empty or names a missing one."""
    for age, (name, whole) in enumerate(reversed(files.items())):
        save(tmp_path / f'{name}.pth', 100 * age, whole)
    if pointer is not None:
        (tmp_path / 'last_checkpoint').write_text(str(tmp_path / pointer) if pointer == 'gone.pth' else pointer)
    assert newest_checkpoint(tmp_path) == (chosen and str(tmp_path / f'{chosen}.pth'))
    half = [name for name, whole in files.items() if not whole]
    assert [line for line in logged if 'is incomplete' in line] == [
        f'{tmp_path / name}.pth is incomplete: the run was killed while it wrote this checkpoint' for name in half]
    missing = pointer == 'gone.pth' and chosen is not None
    assert any('gone.pth, which is missing' in line for line in logged) == missing


def test_an_empty_file_is_no_checkpoint(tmp_path, logged):
    save(tmp_path / 'epoch_1.pth', 100)
    (tmp_path / 'epoch_2.pth').touch()
    assert newest_checkpoint(tmp_path) == str(tmp_path / 'epoch_1.pth')


def test_checkpoints_elsewhere_and_with_other_names(tmp_path, logged):
    (tmp_path / 'work').mkdir()
    (tmp_path / 'out').mkdir()
    save(tmp_path / 'out' / 'step-1.ckpt', 100)
    save(tmp_path / 'out' / 'step-2.ckpt')
    pointer = tmp_path / 'work' / 'last_checkpoint'
    pointer.write_text(str(tmp_path / 'out' / 'step-3.ckpt'))
    assert newest_checkpoint(tmp_path / 'work') == str(tmp_path / 'out' / 'step-2.ckpt')
    for text in ('s3://bucket/epoch_1.pth', str(tmp_path / 'out')):  # of another storage, or of DeepSpeed
        pointer.write_text(text)
        assert newest_checkpoint(tmp_path / 'work') == text


def test_a_named_checkpoint_that_cannot_be_resumed_from(tmp_path, logged):
    save(tmp_path / 'epoch_1.pth', 100)
    save(tmp_path / 'epoch_2.pth', whole=False)
    check_resumable(str(tmp_path / 'epoch_1.pth'))
    with pytest.raises(ValueError, match=r'got \S*epoch_2\.pth, which lacks its end\. The newest .*epoch_1\.pth'):
        check_resumable(str(tmp_path / 'epoch_2.pth'))
    with pytest.raises(FileNotFoundError, match=r'got \S*epoch_3\.pth, which is missing\. The newest .*epoch_1\.pth'):
        check_resumable(str(tmp_path / 'epoch_3.pth'))
    with pytest.raises(FileNotFoundError, match=r'got nowhere/x\.pth, which is missing$'):
        check_resumable('nowhere/x.pth')


def test_an_earlier_run_is_named(tmp_path, logged):
    warn_of_earlier_run(tmp_path / 'new')
    (tmp_path / 'other.txt').touch()
    warn_of_earlier_run(tmp_path)
    assert logged == []
    save(tmp_path / 'epoch_1.pth', 100)
    save(tmp_path / 'best_AP_epoch_1.pth')
    warn_of_earlier_run(tmp_path)
    line, = logged
    assert f'{tmp_path} has 2 checkpoints of an earlier run (epoch_1.pth, ' in line
    assert '--resume' in line
    assert '--work-dir' in line
    assert len(checkpoints(tmp_path)) == 1


def test_a_folder_is_of_one_run(tmp_path, monkeypatch):
    monkeypatch.setattr(work_dir, '_PATIENCE_SECONDS', 0.5)
    with reserved(tmp_path, 'none'):
        with pytest.raises(RuntimeError, match='in which another run trains now'), reserved(tmp_path, 'none'):
            pass
        monkeypatch.setenv('RANK', '1')  # another process of the same run
        with reserved(tmp_path, 'pytorch'):
            pass
    with reserved(tmp_path, 'none'):
        pass


def test_a_killed_run_frees_its_folder(tmp_path):
    code = (f'import sys; sys.path.insert(0, {str(ROOT)!r})\n'
            'import os, time\nfrom hrnet_plugin.work_dir import reserved\n'
            f'with reserved({str(tmp_path)!r}, "none"):\n    print("held", flush=True); time.sleep(120)')
    process = subprocess.Popen([sys.executable, '-W', 'ignore', '-c', code], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == 'held\n'
    finally:
        process.kill()
        process.wait()
    with reserved(tmp_path, 'none'):
        pass
