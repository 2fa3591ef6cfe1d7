"""Probes, with packages that end or block the interpreter."""

from __future__ import annotations

import pytest

from hrnet_plugin.cli.diagnosis import collect
from hrnet_plugin.cli.diagnosis.probes import run_probes


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.setenv('PYTHONPATH', str(tmp_path))
    return lambda name, body: (tmp_path / f'{name}.py').write_text(body)


def probe(*names, timeout=60.0):
    return run_probes({name: ('import', name) for name in names}, timeout)


def test_a_module_that_imports(module):
    module('fine', 'print("noise")\n__version__ = "1.2"')
    assert probe('fine') == {'fine': {'version': '1.2'}}


def test_each_module_is_probed_whatever_the_others_do(module):
    module('fine', '__version__ = "1.2"')
    module('raising', 'raise RuntimeError("in\\n  two lines")')
    module('exiting', 'raise SystemExit(0)')
    module('ending', 'import os, sys\nprint("last words", file=sys.stderr, flush=True)\nos._exit(7)')
    module('killed', 'import os, signal\nos.kill(os.getpid(), signal.SIGKILL)')
    found = probe('raising', 'exiting', 'ending', 'killed', 'fine', 'absent')
    assert found == {
        'raising': {'error': 'RuntimeError: in two lines'},
        'exiting': {'error': 'SystemExit: 0'},
        'ending': {'error': 'interpreter ended with status 7: last words'},
        'killed': {'error': 'interpreter killed by signal 9 (Killed)'},
        'fine': {'version': '1.2'},
        'absent': {'error': "ModuleNotFoundError: No module named 'absent'"}}


def test_a_failure_caused_by_another_module_is_ignored(module):
    """Each failed probe is repeated in its own subprocess."""
    module('careless', 'import sys\nsys.modules["fine"] = None\nraise ImportError("x")')
    module('fine', '')
    assert probe('careless', 'fine')['fine'] == {'version': ''}


def test_a_module_that_blocks(module):
    module('blocking', 'import time\ntime.sleep(60)')
    assert probe('blocking', timeout=0.5) == {'blocking': {'error': 'no result within 0.5 s'}}


def test_files_of_the_working_folder_are_not_imported(tmp_path, monkeypatch):
    (tmp_path / 'mmcv.py').touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('PYTHONPATH', raising=False)
    located = run_probes({'modules': ('modules', 'mmcv')})['modules']['modules']
    assert located.get('mmcv', {}).get('file') != str(tmp_path / 'mmcv.py')


def test_an_interpreter_that_does_not_start(module):
    module('sitecustomize', 'import os\nos._exit(5)')
    with pytest.raises(RuntimeError, match='must be able to list installed packages, got interpreter ended with'):
        collect.collect()
