"""Programs that ``make test`` runs, and its exit code, with substitutes for the programs."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from paths import ROOT

SLOW = 'pytest -m integration or slow'
STAND_IN = '#!/bin/sh\necho "$(basename "$0")" "$@"\necho "$(basename "$0")" "$@" >> calls\n{}\n'


@pytest.fixture
def make(tmp_path):
    """Return a function that runs ``make test``, in which a program fails with some arguments."""
    if shutil.which('make') is None:
        pytest.skip('no make')
    shutil.copy(ROOT / 'Makefile', tmp_path)
    programs = tmp_path / '.venv' / 'bin'
    programs.mkdir(parents=True)

    def run(failing=''):
        for name in ('python', 'pytest', 'ruff', 'mypy', 'lint-imports', 'codespell', 'sphinx-build'):
            (programs / name).write_text(STAND_IN.format(f'[ "$(basename "$0") $*" != "{failing}" ]'))
            (programs / name).chmod(0o755)
        of_an_outer_make = ('MAKEFLAGS', 'MAKELEVEL', 'MFLAGS')
        environment = {key: value for key, value in os.environ.items() if key not in of_an_outer_make}
        done = subprocess.run(['make', 'test', f'PYTHON={programs / "python"}'], cwd=tmp_path, env=environment,
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.splitlines(), (tmp_path / 'calls').read_text().splitlines()

    return run


def test_all_tests_and_the_documentation(make):
    code, out, calls = make()
    assert code == 0
    assert calls[0] == 'python scripts/setup_env.py --dev --docs'
    assert {'mypy', 'pytest', SLOW, 'sphinx-build -W --keep-going -q -E docs build/docs'} <= set(calls)
    assert SLOW in out
    assert max(map(calls.index, ('mypy', 'codespell'))) < min(map(calls.index, ('pytest', SLOW)))


@pytest.mark.parametrize('failing', ['pytest ', SLOW, 'sphinx-build -W --keep-going -q -E docs build/docs'])
def test_each_of_them_can_fail(make, failing):
    code, out, calls = make(failing)
    assert code != 0
    assert {'pytest', SLOW} <= set(calls)
    assert SLOW in out  # also printed after a failure
