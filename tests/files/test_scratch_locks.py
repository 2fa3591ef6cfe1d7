"""Names and locks of scratch files."""

from __future__ import annotations

import errno
import io
import os
import time

import pytest

from hrnet_plugin.files import atomic_write

fcntl = pytest.importorskip('fcntl')


@pytest.fixture
def mandatory_locks(monkeypatch):
    """Locks that block writes by other descriptors, as on SMB mounts."""
    locked = {}
    close, lock, open_file = os.close, fcntl.flock, io.open

    def flock(descriptor, operation):
        lock(descriptor, operation)
        locked[descriptor] = os.fstat(descriptor).st_ino

    def closing(descriptor):
        locked.pop(descriptor, None)
        close(descriptor)

    def opening(file, mode='r', *args, **kwargs):
        if mode not in ('r', 'rb') and os.path.exists(file) and os.stat(file).st_ino in locked.values():
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
        return open_file(file, mode, *args, **kwargs)

    monkeypatch.setattr(fcntl, 'flock', flock)
    monkeypatch.setattr(os, 'close', closing)
    monkeypatch.setattr(io, 'open', opening)


def test_mandatory_locks_do_not_block_outputs(tmp_path, mandatory_locks):
    with atomic_write(tmp_path / 'x') as scratch:
        scratch.write_text('new')
        with atomic_write(tmp_path / 'y'):  # does not take the first one for abandoned
            assert scratch.read_text() == 'new'
    assert (tmp_path / 'x').read_text() == 'new'
    assert sorted(os.listdir(tmp_path)) == ['x', 'y']


def test_unlocked_scratch_files_are_removed_when_they_are_old(tmp_path, mandatory_locks):
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / 'x') as scratch:  # noqa: PT012
        os.utime(scratch, (time.time() - 4000, ) * 2)
        with atomic_write(tmp_path / 'y'):
            assert not scratch.exists()
    assert os.listdir(tmp_path) == ['y']


def test_scratch_names_fit_file_systems_with_short_names(tmp_path):
    for name in ('x' * 120, 'ä' * 60):
        with atomic_write(tmp_path / name) as scratch:
            assert len(os.fsencode(scratch.name)) < 143
        assert (tmp_path / name).exists()
