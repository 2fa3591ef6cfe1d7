"""Files that are whole or not there."""

from __future__ import annotations

import os
import time

import pytest

from hrnet_plugin.files import locked, remove_old_parts, replacing


def test_a_file_takes_its_place_when_it_is_whole(tmp_path):
    target = tmp_path / 'folder' / 'x.txt'
    with replacing(target) as scratch:
        scratch.write_text('new')
        assert not target.exists()
    assert target.read_text() == 'new'
    assert os.listdir(target.parent) == ['x.txt']


def test_a_failure_leaves_what_was_there(tmp_path):
    target = tmp_path / 'x.txt'
    target.write_text('old')
    with pytest.raises(TypeError), replacing(target) as scratch:
        scratch.write_text(scratch.write_text('half'))
    assert target.read_text() == 'old'
    assert os.listdir(tmp_path) == ['x.txt']


def test_old_parts_of_killed_processes_are_removed(tmp_path):
    killed = [replacing(tmp_path / name) for name in ('old.pth', 'new.pth')]
    parts = [writing.__enter__() for writing in killed]  # and never ends
    (tmp_path / 'x.pth').touch()
    os.utime(parts[0], (time.time() - 4000, ) * 2)
    os.utime(tmp_path / 'x.pth', (time.time() - 4000, ) * 2)
    remove_old_parts(tmp_path)
    assert sorted(os.listdir(tmp_path)) == sorted([parts[1].name, 'x.pth'])  # another process may write the new one


@pytest.mark.skipif(os.name != 'posix', reason='has no modes of files')
def test_others_may_read_it_as_the_user_has_set(tmp_path):
    before = os.umask(0o027)
    try:
        with replacing(tmp_path / 'x') as scratch:
            scratch.write_text('')
    finally:
        os.umask(before)
    assert (tmp_path / 'x').stat().st_mode & 0o777 == 0o640


def test_one_process_holds_a_lock(tmp_path):
    with locked(tmp_path / 'lock', 0.1, 'first'), \
            pytest.raises(RuntimeError, match='taken'), locked(tmp_path / 'lock', 0.1, 'taken'):
        pass
    with locked(tmp_path / 'lock', 0.1, 'free'):
        pass
