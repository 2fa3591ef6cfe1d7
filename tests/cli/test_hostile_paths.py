"""Outputs on a full disk, in read-only folders and loops of symbolic links, and with any file name."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from output_commands import CASES, OTHERS, READING, content, fill, start
from small_disk import small_disk

from hrnet_plugin.cli.commands import COMMANDS
from hrnet_plugin.cli.main import run

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='requires POSIX')
NAMES = ("it's", 'a "b" c', 'two\nlines',
         'é e\u0301 日本', '-rf', 'x' * 255, os.fsdecode(b'\xff\xfe'), '=1+1', 'a%20#?&')

NATIVE = ('libpng', 'DeviceProperties.cpp')  # C libraries that print messages of their own


def parametrized(cases):
    return pytest.mark.parametrize('name', [
        pytest.param(name, marks=[pytest.mark.slow] if case.is_slow else []) for name, case in cases.items()])


def test_each_command_has_a_case():
    assert {name.split()[0] for name in CASES} | READING.keys() | OTHERS == set(COMMANDS)


@pytest.fixture
def disk(tmp_path):
    """Disk of 1 MB, mounted in the folder of outputs."""
    with small_disk(tmp_path / 'out') as folder:
        yield folder


def prepared(name, tmp_path):
    case = {**CASES, **READING}[name]
    for module in case.needs:
        pytest.importorskip(module)
    return case, start(tmp_path, case)


def fails_in_one_line(words, named, capfd):
    """Run a command that fails, and check that its only line on stderr names the file."""
    capfd.readouterr()
    assert run(words) == 2
    lines = [line for line in capfd.readouterr().err.splitlines() if not any(name in line for name in NATIVE)]
    assert len(lines) == 1, lines
    assert lines[0].startswith(f'hrnet {words[0]}: error: ')
    assert str(named) in lines[0] or repr(str(named))[1:-1] in lines[0]
    assert '.part' not in lines[0]
    return lines[0]


def tree(folder):
    """Return the names in a folder, without lock files, and without the empty store that SQLite creates first."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob('*')
                  if path.name != '.lock' and not (path.suffix == '.sqlite' and path.stat().st_size == 0))


@parametrized(CASES)
def test_a_full_disk(name, disk, tmp_path, capfd):
    case, out = prepared(name, tmp_path)
    fill(disk)
    before = tree(disk)
    line = fails_in_one_line(case.words(tmp_path / 'given', out), out, capfd)
    assert 'No space left' in line or 'full' in line
    assert tree(disk) == before


@parametrized(CASES)
def test_a_read_only_folder(name, disk, tmp_path, capfd):
    case, out = prepared(name, tmp_path)
    before = tree(disk)
    subprocess.run(['mount', '-o', 'remount,ro', str(disk)], check=True)
    line = fails_in_one_line(case.words(tmp_path / 'given', out), out, capfd)
    assert 'ead-only' in line or 'readonly' in line or 'unable to open' in line
    assert tree(disk) == before


@parametrized(CASES)
def test_a_loop_of_symbolic_links(name, tmp_path, capfd):
    case, out = prepared(name, tmp_path)
    if case.in_work_dir:
        shutil.rmtree(out)
    out.symlink_to(out)
    before = tree(tmp_path)
    fails_in_one_line(case.words(tmp_path / 'given', out), out, capfd)
    assert tree(tmp_path) == before


@parametrized(CASES | READING)
def test_loops_as_inputs(name, tmp_path, capfd):
    case, out = prepared(name, tmp_path)
    words = case.words(tmp_path / 'given', out)
    for path in [Path(word) for word in words if word.startswith(str(tmp_path)) and word != str(out)]:
        if path.exists():
            path.rename(tmp_path / 'moved')
            path.symlink_to(path)
            if name == 'check':  # it reports what is wrong with data
                assert run(words) == 1
                assert str(path) in capfd.readouterr().out
            else:
                fails_in_one_line(words, path, capfd)
            path.unlink()
            (tmp_path / 'moved').rename(path)


@pytest.mark.parametrize('folder', NAMES)
@pytest.mark.parametrize('name', ['config', 'sample-set', 'compare', 'submission pack', 'report', 'inspect'])
def test_any_name(name, folder, tmp_path, capfd):
    check_name(name, folder, tmp_path, capfd)


@pytest.mark.slow
@pytest.mark.parametrize('name', [*CASES, *READING])
def test_a_strange_name(name, tmp_path, capfd):
    check_name(name, 'a "b"\n=\'é\'%20#?&', tmp_path, capfd)


def check_name(name, folder, tmp_path, capfd):
    """Check that a command runs with inputs and outputs in a folder."""
    root = tmp_path / folder
    root.mkdir()
    case, out = prepared(name, root)
    assert run(case.words(root / 'given', out)) == 0, capfd.readouterr().err
    for file in case.names:
        assert content(out / file)
