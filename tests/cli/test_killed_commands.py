"""Commands that are killed at each file operation: outputs are old or new, and the same command completes them."""

from __future__ import annotations

import os
import re
import shutil

import pytest
from output_commands import CASES, content, copy_to, kill_at, run_in_child, start

from hrnet_plugin.cli import ablate
from hrnet_plugin.cli.main import run

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='requires fork')


def outputs(case, out):
    return {name: content(out / name) for name in case.names}


def check_after_kill(case, words, out, expected):
    """Check that outputs are whole, and that the same command completes them and leaves nothing else."""
    for name, each in expected.items():
        if (out / name).exists() and not name.endswith('.sqlite'):  # the tables may be missing
            assert content(out / name) == each
    run_in_child(words)  # the exit code is not 0 if the file was complete and is not overwritten
    assert outputs(case, out) == expected
    assert not [path for path in out.parent.rglob('*') if path.name.endswith(('.part', '-journal'))]


def signature(folder):
    """Return the names in a folder without random parts, and their contents."""
    return {(re.sub(r'[0-9a-f]{16}\.part', '.part', str(path.relative_to(folder))),
             path.read_bytes() if path.is_file() else b'') for path in folder.rglob('*')}


def test_a_command_that_is_killed(tmp_path):
    case = CASES['config']
    out = start(tmp_path / 'state', case)
    words = case.words(tmp_path, out)
    assert run_in_child(words) == 0
    expected, kills = outputs(case, out), 0
    while True:
        shutil.rmtree(out)
        if run_in_child(words, tmp_path / 'state', kill_at(kills + 1)) is not None:
            break
        kills += 1
        check_after_kill(case, words, out, expected)
    assert kills >= 6  # folder, scratch file, lock, half of the text, flush, renaming


@pytest.fixture
def _counted_once(monkeypatch):
    """Count operations in the first run only: it writes nothing, and takes most of the time."""
    found, counts = [], ablate.counts

    def counts_once(study):
        if not found:
            found.append(counts(study))
        return found[0]

    monkeypatch.setattr(ablate, 'counts', counts_once)


@pytest.mark.slow
@pytest.mark.usefixtures('_counted_once')
@pytest.mark.parametrize('name', CASES)
def test_what_a_kill_leaves(name, tmp_path):
    """Run each command once, copy its folders at each file operation, and run it again in each different copy."""
    case = CASES[name]
    for module in case.needs:
        pytest.importorskip(module)
    warm = start(tmp_path / 'warm', case)
    assert run(case.words(tmp_path / 'warm' / 'given', warm)) == 0  # the forks need not import its modules again
    state, copies = tmp_path / 'state', tmp_path / 'copies'
    out = start(state, case)
    out.mkdir(exist_ok=True)
    words = case.words(state / 'given', out)
    assert run_in_child(words, state, copy_to(out, copies)) == 0
    expected = outputs(case, out)
    assert len(list(copies.iterdir())) >= 5
    for copied in {repr(sorted(signature(copied))): copied for copied in sorted(copies.iterdir())}.values():
        shutil.rmtree(out)
        shutil.copytree(copied, out, symlinks=True)
        check_after_kill(case, words, out, expected)
