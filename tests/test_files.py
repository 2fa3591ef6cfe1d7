"""Atomic writes and lock files."""

from __future__ import annotations

import os
import time

import pytest

from hrnet_plugin.files import atomic_write, file_lock, remove_stale_scratch_files


def test_the_target_appears_when_the_block_ends(tmp_path):
    target = tmp_path / 'folder' / 'x.txt'
    with atomic_write(target) as scratch:
        scratch.write_text('new')
        assert not target.exists()
    assert target.read_text() == 'new'
    assert os.listdir(target.parent) == ['x.txt']


def test_a_failure_keeps_the_old_content(tmp_path):
    target = tmp_path / 'x.txt'
    target.write_text('old')
    with pytest.raises(TypeError), atomic_write(target) as scratch:
        scratch.write_text(scratch.write_text('half'))
    assert target.read_text() == 'old'
    assert os.listdir(tmp_path) == ['x.txt']


def test_stale_scratch_files_are_removed(tmp_path):
    killed = [atomic_write(tmp_path / name) for name in ('old.pth', 'new.pth')]
    parts = [writing.__enter__() for writing in killed]  # never exited, as in a killed process
    (tmp_path / 'x.pth').touch()
    os.utime(parts[0], (time.time() - 4000, ) * 2)
    os.utime(tmp_path / 'x.pth', (time.time() - 4000, ) * 2)
    remove_stale_scratch_files(tmp_path)
    # another process may still write the new one
    assert sorted(os.listdir(tmp_path)) == sorted([parts[1].name, 'x.pth'])


@pytest.mark.skipif(os.name != 'posix', reason='requires POSIX file modes')
def test_file_modes_follow_the_umask(tmp_path):
    before = os.umask(0o027)
    try:
        with atomic_write(tmp_path / 'x') as scratch:
            scratch.write_text('')
    finally:
        os.umask(before)
    assert (tmp_path / 'x').stat().st_mode & 0o777 == 0o640


def test_a_lock_is_exclusive(tmp_path):
    with file_lock(tmp_path / 'lock', 0.1, 'first'), \
            pytest.raises(RuntimeError, match='taken'), file_lock(tmp_path / 'lock', 0.1, 'taken'):
        pass
    with file_lock(tmp_path / 'lock', 0.1, 'free'):
        pass
