"""Atomic writes and lock files."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest
from paths import ROOT

from hrnet_plugin.files import atomic_folder, atomic_write, atomic_writes, file_lock

posix = pytest.mark.skipif(os.name != 'posix', reason='requires POSIX')


def write(target, text='new'):
    with atomic_write(target) as scratch:
        scratch.write_text(text)


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


def test_a_failure_removes_new_folders(tmp_path):
    with pytest.raises(KeyError), atomic_write(tmp_path / 'a' / 'b' / 'x.txt'):
        raise KeyError
    assert os.listdir(tmp_path) == []


def test_files_that_belong_together_appear_together(tmp_path):
    (tmp_path / 'a').write_text('old')
    with pytest.raises(ValueError, match='late'), atomic_writes(tmp_path) as scratch:  # noqa: PT012
        scratch('a').write_text('new')
        scratch('b').write_text('new')
        raise ValueError('late')
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {'a': 'old'}
    with atomic_writes(tmp_path) as scratch:
        for name in 'ab':
            scratch(name).write_text('new')
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {'a': 'new', 'b': 'new'}


def test_a_folder_appears_when_the_block_ends(tmp_path):
    with atomic_folder(tmp_path / 'made') as scratch:
        (scratch / 'x').touch()
        assert not (tmp_path / 'made').exists()
    assert os.listdir(tmp_path / 'made') == ['x']
    with pytest.raises(OSError, match='made') as caught, atomic_folder(tmp_path / 'made') as scratch:
        (scratch / 'y').touch()
    assert caught.value.filename == str(tmp_path / 'made')
    assert os.listdir(tmp_path) == ['made']
    assert os.listdir(tmp_path / 'made') == ['x']


@posix
def test_scratch_files_of_killed_processes_are_removed_by_the_next_write(tmp_path):
    code = """
        import os, sys
        from hrnet_plugin.files import atomic_folder, atomic_write
        started = [atomic_write(sys.argv[1] + '/x.txt'), atomic_folder(sys.argv[1] + '/folder')]
        for writing in started:
            writing.__enter__()
        os.kill(os.getpid(), 9)
    """
    done = subprocess.run([sys.executable, '-c', textwrap.dedent(code), str(tmp_path)], check=False,
                          env=dict(os.environ, PYTHONPATH=str(ROOT)))
    assert done.returncode == -9
    assert len(os.listdir(tmp_path)) == 2
    (tmp_path / '.mine.part').touch()
    with atomic_write(tmp_path / 'alive.txt'):
        write(tmp_path / 'y.txt')
        assert sum(name.startswith('.alive') for name in os.listdir(tmp_path)) == 1
    assert sorted(os.listdir(tmp_path)) == ['.mine.part', 'alive.txt', 'y.txt']


@posix
def test_scratch_files_of_other_machines_are_removed_when_they_are_old(tmp_path):
    old, new = (tmp_path / f'.x.{digit * 16}.part' for digit in '01')
    for path in (old, new):
        path.touch()
    os.mkfifo(pipe := tmp_path / f'.x.{"2" * 16}.part')  # opening it must not wait for its writer
    for path in (old, pipe):
        os.utime(path, (time.time() - 4000, ) * 2)
    write(tmp_path / 'y.txt')
    assert sorted(os.listdir(tmp_path)) == [new.name, 'y.txt']


@posix
def test_file_modes(tmp_path):
    before = os.umask(0o027)
    try:
        write(tmp_path / 'new')
    finally:
        os.umask(before)
    assert (tmp_path / 'new').stat().st_mode & 0o777 == 0o640
    (tmp_path / 'old').touch()
    for before, after in ((0o604, 0o604), (0o4755, 0o755)):  # new content is not trusted as the old one
        (tmp_path / 'old').chmod(before)
        write(tmp_path / 'old')
        assert (tmp_path / 'old').stat().st_mode & 0o7777 == after
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'folder').chmod(0o2700)
    with atomic_folder(tmp_path / 'folder'):
        pass
    assert (tmp_path / 'folder').stat().st_mode & 0o7777 == 0o2700


@posix
@pytest.mark.skipif(not hasattr(os, 'getuid') or os.getuid() != 0, reason='only root sets owners')
def test_owners(tmp_path, monkeypatch):
    target = tmp_path / 'x'
    target.touch()
    target.chmod(0o664)
    os.chown(target, 12345, 54321)
    write(target)
    assert (target.stat().st_uid, target.stat().st_gid, target.stat().st_mode & 0o777) == (12345, 54321, 0o664)

    def chown(*args):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, 'chown', chown)
    write(target)
    assert (target.stat().st_uid, target.stat().st_gid, target.stat().st_mode & 0o777) == (0, os.getgid(), 0o644)


@posix
def test_symbolic_links_are_kept(tmp_path):
    (tmp_path / 'disk').mkdir()
    for name in ('there', 'missing'):
        (tmp_path / name).symlink_to(tmp_path / 'disk' / name)
    (tmp_path / 'disk' / 'there').write_text('old')
    for name in ('there', 'missing'):
        write(tmp_path / name)
        assert (tmp_path / name).is_symlink()
        assert (tmp_path / 'disk' / name).read_text() == 'new'
    assert sorted(os.listdir(tmp_path / 'disk')) == ['missing', 'there']


@posix
def test_errors_name_the_target(tmp_path):
    (tmp_path / 'folder').mkdir()
    (tmp_path / 'loop').symlink_to(tmp_path / 'loop')
    (tmp_path / 'file').touch()
    for name, number in (('folder', errno.EISDIR), ('loop', errno.ELOOP), ('file/x', errno.ENOTDIR),
                         ('x' * 256, errno.ENAMETOOLONG)):
        with pytest.raises(OSError, match=re.escape(name)) as caught, atomic_write(tmp_path / name):
            pytest.fail('must not start')
        assert (caught.value.errno, caught.value.filename) == (number, str(tmp_path / name))
    with pytest.raises(OSError, match='The earlier file is unchanged') as caught, atomic_write(tmp_path / 'file'):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.filename == str(tmp_path / 'file')
    with pytest.raises(FileNotFoundError) as caught, atomic_write(tmp_path / 'file') as scratch:
        scratch.unlink()
    assert caught.value.filename == str(tmp_path / 'file')
    with pytest.raises(ConnectionResetError) as caught, atomic_write(tmp_path / 'file'):
        raise ConnectionResetError(errno.ECONNRESET, 'reset')
    assert caught.value.filename is None
    assert sorted(os.listdir(tmp_path)) == ['file', 'folder', 'loop']


def full(*_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@posix
def test_errors_of_a_full_disk_tell_what_was_written(tmp_path, monkeypatch):
    (tmp_path / 'a').touch()
    with pytest.raises(OSError, match='The earlier files are unchanged') as caught, \
            atomic_writes(tmp_path) as scratch:  # noqa: PT012
        scratch('a')
        scratch('b')
        full()
    assert caught.value.filename == str(tmp_path)  # either of them may be the one
    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='Nothing was written') as caught, atomic_writes(tmp_path) as scratch:  # noqa: PT012
        scratch('c')
        scratch('d')
    assert caught.value.filename == str(tmp_path / 'c')
    assert os.listdir(tmp_path) == ['a']


@posix
def test_errors_after_a_renaming_do_not_promise_unchanged_files(tmp_path, monkeypatch):
    (tmp_path / 'a').touch()
    (tmp_path / 'b').touch()
    rename = Path.replace
    monkeypatch.setattr(Path, 'replace', lambda path, target: rename(path, target) if target.name == 'a' else full())
    with pytest.raises(OSError, match=r'device$|device:') as caught, atomic_writes(tmp_path) as scratch:  # noqa: PT012
        scratch('a').write_text('new')
        scratch('b').write_text('new')
    assert (caught.value.filename, caught.value.strerror) == (str(tmp_path / 'b'), os.strerror(errno.ENOSPC))
    assert (tmp_path / 'a').read_text() == 'new'


@pytest.mark.skipif(sys.platform != 'linux', reason='requires /dev/full')
def test_a_full_device_has_no_earlier_file():
    with pytest.raises(OSError, match='No space') as caught:
        write('/dev/full')
    assert (caught.value.filename, caught.value.strerror) == ('/dev/full', os.strerror(errno.ENOSPC))


@posix
@pytest.mark.parametrize('name', ['x' * 255, 'ä' * 127, "it's \"a\" name\nof two lines", '-rf', b'\xff\xfe.json'])
def test_any_file_name(name, tmp_path):
    target = tmp_path / os.fsdecode(name)
    for text in ('old', 'new'):
        write(target, text)
        assert target.read_text() == text
    assert list(tmp_path.iterdir()) == [target]


@posix
def test_pipes_and_devices_get_the_content(tmp_path):
    write('/dev/null')
    assert not os.path.isfile('/dev/null')
    os.mkfifo(tmp_path / 'pipe')
    found = []
    reader = threading.Thread(target=lambda: found.append((tmp_path / 'pipe').read_text()))
    reader.start()
    write(tmp_path / 'pipe')
    reader.join(60)
    assert found == ['new']


@posix
def test_redirected_stdout_is_not_replaced(tmp_path):
    code = "from hrnet_plugin.files import atomic_write\nprint('first')\n" \
           "with atomic_write('/dev/stdout') as scratch:\n    scratch.write_text('second\\n')\nprint('third')"
    with (tmp_path / 'out').open('w') as out:
        subprocess.run([sys.executable, '-c', code], check=True, stdout=out,
                       env=dict(os.environ, PYTHONPATH=str(ROOT)))
    assert (tmp_path / 'out').read_text() == 'first\nsecond\nthird\n'


def test_the_last_writer_wins(tmp_path):
    target = tmp_path / 'x'

    def write_often(letter):
        for _ in range(30):
            write(target, letter * 100_000)

    writers = [threading.Thread(target=write_often, args=(letter, )) for letter in 'ab']
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        if target.exists():
            assert target.read_text() in ('a' * 100_000, 'b' * 100_000)
    assert os.listdir(tmp_path) == ['x']


def test_a_lock_is_exclusive(tmp_path):
    with file_lock(tmp_path / 'lock', 0.1, 'first'), \
            pytest.raises(RuntimeError, match='taken'), file_lock(tmp_path / 'lock', 0.1, 'taken'):
        pass
    with file_lock(tmp_path / 'lock', 0.1, 'free'):
        pass
