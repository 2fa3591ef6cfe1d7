"""Files that cannot be replaced, and folders that must remain."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from small_disk import bind_mount, small_disk

from hrnet_plugin.files import atomic_folder, atomic_write

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='requires POSIX')
OTHER_USER = 12345


@pytest.fixture
def shared(monkeypatch):
    """Folder that all users may enter, with a writable folder of temporary files."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        temporary = Path(folder, 'temporary')
        temporary.mkdir()
        temporary.chmod(0o777)
        monkeypatch.setattr(tempfile, 'tempdir', str(temporary))
        yield Path(folder)
        assert os.listdir(temporary) == []


@contextmanager
def unprivileged(folder):
    """Run the block as another user than root."""
    before = os.geteuid()
    try:
        if before == 0:
            os.seteuid(OTHER_USER)
        if not os.access(folder, os.X_OK, effective_ids=True):
            pytest.skip('requires a folder of temporary files for all users')
        yield
    finally:
        os.seteuid(before)


def overwrites(target, text='new'):
    inode = target.stat().st_ino
    with atomic_write(target) as scratch:
        scratch.write_text(text)
    return target.stat().st_ino == inode and target.read_text() == text


def test_a_file_in_a_folder_that_is_not_writable(shared):
    folder = shared / 'folder'
    folder.mkdir()
    target = folder / 'x'
    target.write_text('long old content')
    target.chmod(0o666)
    folder.chmod(0o555)
    with unprivileged(shared):
        assert overwrites(target)
        with pytest.raises(PermissionError, match=f'{folder} must be writable') as caught, atomic_write(folder / 'y'):
            pytest.fail('must not start')
        assert caught.value.filename == str(folder / 'y')
        with pytest.raises(PermissionError, match=f'{folder} must be writable'), atomic_write(folder / 'new' / 'y'):
            pytest.fail('must not start')
        with atomic_write(target) as scratch:
            assert scratch.stat().st_mode & 0o077 == 0  # the folder of temporary files is open to others
            scratch.write_text('new')
    assert target.read_text() == 'new'
    assert os.listdir(folder) == ['x']


@pytest.mark.skipif(not hasattr(os, 'getuid') or os.getuid() != 0, reason='only root creates files of another user')
@pytest.mark.parametrize('mode', [0o666, 0o222])
def test_a_file_of_another_user_in_a_sticky_folder(mode, shared):
    folder = shared / 'folder'
    folder.mkdir()
    folder.chmod(0o1777)
    target = folder / 'x'
    target.write_text('long old content')
    target.chmod(mode)
    with unprivileged(shared), atomic_write(target) as scratch:
        scratch.write_text('new')
    assert target.read_text() == 'new'
    assert (target.stat().st_uid, target.stat().st_mode & 0o777) == (0, mode)
    assert os.listdir(folder) == ['x']


def test_a_mounted_file(tmp_path):
    for name in 'ab':
        (tmp_path / name).write_text('long old content')
    with bind_mount(tmp_path / 'a', tmp_path / 'b'):
        assert overwrites(tmp_path / 'b')
    assert (tmp_path / 'a').read_text() == 'new'
    assert (tmp_path / 'b').read_text() == 'long old content'
    assert sorted(os.listdir(tmp_path)) == ['a', 'b']


def test_a_full_disk_below_a_mounted_file(tmp_path):
    (tmp_path / 'x').touch()
    with small_disk(tmp_path / 'disk', '64k') as disk:
        (disk / 'x').touch()
        with bind_mount(disk / 'x', tmp_path / 'x'):
            with pytest.raises(OSError, match='No space') as caught, atomic_write(tmp_path / 'x') as scratch:
                scratch.write_bytes(bytes(1_000_000))
            assert (caught.value.filename, caught.value.strerror) == (str(tmp_path / 'x'), os.strerror(errno.ENOSPC))


def test_an_existing_folder_is_filled(tmp_path):
    inode = tmp_path.stat().st_ino
    with atomic_folder(tmp_path) as scratch:
        (scratch / 'a').mkdir()
        (scratch / 'b').touch()
        assert [tmp_path / name for name in os.listdir(tmp_path)] == [scratch]
    assert tmp_path.stat().st_ino == inode
    assert sorted(os.listdir(tmp_path)) == ['a', 'b']


@pytest.mark.skipif(sys.platform != 'linux', reason='requires Linux')
def test_a_mount_point_is_filled(tmp_path):
    with small_disk(tmp_path / 'disk') as disk:
        with atomic_folder(disk) as scratch:
            (scratch / 'a').touch()
        assert os.listdir(disk) == ['a']


def test_a_failing_renaming_leaves_the_folder_empty(tmp_path, monkeypatch):
    rename = Path.rename

    def failing(path, target):
        if path.name == 'b':
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, 'rename', failing)
    with pytest.raises(OSError, match='Nothing was written') as caught, \
            atomic_folder(tmp_path, last='b') as scratch:  # noqa: PT012
        for name in ('a', 'b'):
            (scratch / name).touch()
    assert caught.value.filename == str(tmp_path)
    assert os.listdir(tmp_path) == []
