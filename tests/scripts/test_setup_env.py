"""Decisions of the setup script, without installations."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from paths import ROOT


@pytest.fixture(scope='module')
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / 'scripts'))
        yield importlib.import_module('setup_env')


def test_another_python_is_refused(script, monkeypatch):
    monkeypatch.setattr(script, 'PYTHONS', ((2, 7), ))
    with pytest.raises(script.SetupError, match=r'Python must be one of 2\.7, got 3\.'):
        script.check_python()


def test_a_missing_compiler_is_named(script, monkeypatch):
    monkeypatch.setenv('CXX', '/nowhere/c++')
    with pytest.raises(script.SetupError, match=r"C\+\+ compiler is required .*, got none as CXX='/nowhere/c\+\+'"):
        script.find_compiler()
    monkeypatch.delenv('CXX')
    monkeypatch.setenv('PATH', '')
    with pytest.raises(script.SetupError, match=r'C\+\+ compiler is required to compile mmcv, got none\.'):
        script.find_compiler()


def test_a_missing_program_has_no_output(script, tmp_path):
    assert script.capture_output([tmp_path / 'nothing']) == ''


def test_finished_steps_are_skipped_and_failed_ones_are_not(script, tmp_path):
    environment = script.Environment(tmp_path, tmp_path / 'cache', dev=False)
    done = []
    environment.step('name', 'key', lambda: done.append(1))
    environment.step('name', 'key', lambda: done.append(2))
    environment.step('name', 'other key', lambda: done.append(3))
    assert done == [1, 3]

    def fail():
        raise script.SetupError('stop')

    with pytest.raises(script.SetupError):
        environment.step('second', 'key', fail)
    environment.step('second', 'key', lambda: done.append(4))
    assert done == [1, 3, 4]


def test_a_step_that_failed_undoes_an_earlier_one(script, tmp_path):
    """A failed switch of operators has removed the installed ones."""
    environment = script.Environment(tmp_path, tmp_path / 'cache', dev=False)
    done = []
    environment.step('mmcv', 'torch', lambda: done.append('torch'))

    def fail():
        raise script.SetupError('stop')

    with pytest.raises(script.SetupError):
        environment.step('mmcv', 'compiled', fail)
    environment.step('mmcv', 'torch', lambda: done.append('torch again'))
    assert done == ['torch', 'torch again']


def test_requirements_are_pinned(script):
    for name in ('stack', 'no-deps', 'dev', 'dev-no-deps', 'docs', 'python-3.10', 'python-3.11', 'python-3.12'):
        assert all('==' in line for line in script.requirement_lines(f'{name}.txt')), name


@pytest.mark.parametrize(('version', 'pins', 'pose'), [
    ((3, 10), 'python-3.10.txt', True), ((3, 11), 'python-3.11.txt', True), ((3, 12), 'python-3.12.txt', False),
    ((3, 13), 'python-3.12.txt', False)])
def test_each_python_has_its_pins(script, version, pins, pose, monkeypatch, capsys):
    monkeypatch.setattr(script.sys, 'version_info', SimpleNamespace(minor=version[1]))
    assert version in script.PYTHONS
    assert script.python_pins() == pins
    bare = script.bare_requirements(script.requirement_lines(pins))
    assert any(line.startswith('mmpose') for line in bare) == pose
    assert ('mmpose is left out' in capsys.readouterr().out) == (not pose)
    # together, each package is pinned once
    names = [line.partition('==')[0] for name in (pins, 'stack.txt') for line in script.requirement_lines(name)]
    assert len(names) == len(set(names))
    assert {'torch', 'torchvision', 'numpy'} <= set(names)


@pytest.fixture
def commands(script, monkeypatch):
    """Record the arguments of pip commands instead of running them."""
    words = []
    monkeypatch.setattr(script, 'run', lambda command, *rest, **env: words.append([str(word) for word in command][4:]))
    return words


def test_operators_need_no_compiler(script, commands, tmp_path, monkeypatch):
    monkeypatch.setenv('PATH', '')
    script.Environment(tmp_path, tmp_path / 'cache', dev=False).step_operators('key')
    uninstall, lite, ours = commands
    # all three are removed first: removing one deletes files of the others
    assert uninstall == ['uninstall', '--quiet', '--yes', 'mmcv', 'mmcv-lite', 'mmcv-torch-ops']
    assert 'mmcv-lite==2.1.0' in lite
    assert str(script.OPS_PACKAGE) in ours


def test_operators_are_installed_again_when_their_sources_change(script, commands, tmp_path, monkeypatch):
    """The build folder of pip is ignored."""
    package = tmp_path / 'mmcv_ops'
    shutil.copytree(script.OPS_PACKAGE, package, ignore=shutil.ignore_patterns('build', '*.egg-info', '__pycache__'))
    monkeypatch.setattr(script, 'OPS_PACKAGE', package)
    environment = script.Environment(tmp_path, tmp_path / 'cache', dev=False)
    counts = []
    for changed in ('README.md', 'build/lib/mmcv_torch_ops/nms.py', 'mmcv_torch_ops/nms.py', 'setup.cfg'):
        (package / changed).parent.mkdir(parents=True, exist_ok=True)
        (package / changed).write_text(changed)
        environment.step_operators('key')
        counts.append(len(commands))
    assert counts == [3, 3, 6, 9]


def test_compiled_operators_replace_the_others(script, commands, tmp_path, monkeypatch):
    environment = script.Environment(tmp_path, tmp_path / 'cache', dev=False, ops='compiled')
    folder = tmp_path / 'cache' / 'wheels' / 'this'
    folder.mkdir(parents=True)
    (folder / 'mmcv-2.1.0-cp311.whl').touch()
    monkeypatch.setattr(script.Environment, 'mmcv_wheel_folder', lambda self: folder)
    environment.step_operators('key')
    tools, uninstall, compiled = commands
    assert 'ninja' in tools
    assert uninstall[-3:] == ['mmcv', 'mmcv-lite', 'mmcv-torch-ops']
    assert compiled[3:5] == ['--no-deps', str(folder / 'mmcv-2.1.0-cp311.whl')]
    environment.ops = 'torch'  # and back
    environment.step_operators('key')
    assert commands[-2][-1] == 'mmcv-lite==2.1.0'


@pytest.fixture
def build(script, commands, monkeypatch):
    """Return a function that builds an environment without running a command, and returns its operators."""
    monkeypatch.setattr(script.VenvFolder, 'has_python', lambda self, version: self.path.joinpath('python').exists())
    monkeypatch.setattr(script, 'capture_output', lambda command: '')
    monkeypatch.setattr(script, 'find_compiler', lambda: '/bin/c++')
    monkeypatch.setattr(script.Environment, 'mmcv_wheel_folder', lambda self: Path('wheel'))
    monkeypatch.setattr(script.Environment, 'install_mmcv', lambda self, folder: commands.append(['compiled']))

    def build(folder, ops=''):
        folder.mkdir(exist_ok=True)
        (folder / 'python').touch()
        commands.clear()
        script.Environment(folder, folder, False, ops).build()
        return [words[-1] for words in commands if words[-1] in ('compiled', 'mmcv-lite==2.1.0')]

    return build


def test_operators_change_only_if_they_are_given(build, tmp_path):
    assert build(tmp_path / 'new') == ['mmcv-lite==2.1.0']
    assert build(tmp_path / 'new') == []
    assert build(tmp_path / 'new', 'compiled') == ['compiled']
    assert build(tmp_path / 'new') == []
    assert build(tmp_path / 'new', 'torch') == ['mmcv-lite==2.1.0']
    assert build(tmp_path / 'new') == []


def test_documentation_tools_are_installed_only_when_asked_for(script, build, commands, tmp_path):
    build(tmp_path)
    tools = str(script.ROOT / 'requirements' / 'docs.txt')
    assert not any(tools in words for words in commands)
    commands.clear()
    script.Environment(tmp_path, tmp_path, False, docs=True).build()
    assert sum(tools in words for words in commands) == 1


def test_a_compiled_mmcv_without_a_record(script, build, tmp_path, monkeypatch):
    """The mmcv that imports is kept."""
    monkeypatch.setattr(script, 'capture_output', lambda command: 'compiled')
    assert script.Environment(tmp_path, tmp_path, False).ops == 'compiled'
    assert script.Environment(tmp_path, tmp_path, False, 'torch').ops == 'torch'


def test_another_python_keeps_the_operators(script, build, tmp_path):
    script.VenvFolder(tmp_path / 'venv').clear('/bin/python')
    assert build(tmp_path / 'venv', 'compiled') == ['compiled']
    environment = script.Environment(tmp_path / 'venv', tmp_path, False)
    (tmp_path / 'venv' / 'python').unlink()
    environment.make_venv()
    assert not (tmp_path / 'venv' / '.setup' / 'mmcv').exists()
    assert environment.ops == 'compiled'


def test_a_folder_with_other_files_is_not_emptied(script, commands, tmp_path):
    folder = tmp_path / 'precious'
    (folder / '.setup').mkdir(parents=True)
    (folder / 'file').write_text('text')
    (tmp_path / 'a file').touch()
    for path in (folder, tmp_path / 'a file'):
        with pytest.raises(script.SetupError, match=rf'--venv must be missing, .* got {re.escape(str(path))}'):
            script.Environment(path, tmp_path, False).make_venv()
    assert (folder / 'file').read_text() == 'text'
    assert commands == []


def test_a_folder_of_the_script_is_emptied(script, commands, tmp_path):
    for path in (tmp_path / 'missing', tmp_path / 'empty'):
        (tmp_path / 'empty').mkdir(exist_ok=True)
        environment = script.Environment(path, tmp_path, False)
        environment.make_venv()
        (path / 'lib').mkdir()
        (path / 'lib64').symlink_to('lib')
        (path / 'pyvenv.cfg').touch()
        environment.folder.remember('step', 'key')
        environment.make_venv()
        assert [child.name for child in path.iterdir()] == ['.setup']
        assert [child.name for child in (path / '.setup').iterdir()] == ['python']
        assert Path(environment.folder.recall('python')).is_file()


def test_a_real_environment_is_kept(script, tmp_path, monkeypatch):
    environment = script.Environment(tmp_path / 'a b', tmp_path, False)
    environment.make_venv()
    (tmp_path / 'a b' / 'file').touch()
    environment.make_venv()
    assert (tmp_path / 'a b' / 'file').exists()
    monkeypatch.setattr(script.sys, 'version_info', SimpleNamespace(major=3, minor=9))
    monkeypatch.setattr(script, 'run', lambda *words, **env: None)
    environment.make_venv()
    assert not (tmp_path / 'a b' / 'file').exists()


def test_a_wheel_of_another_python_is_ignored(script, build, tmp_path, monkeypatch):
    """The compiler is checked before any download."""
    def find():
        raise script.SetupError('no compiler')

    monkeypatch.setattr(script, 'find_compiler', find)
    pins = next(line for line in script.requirement_lines(script.python_pins()) if line.startswith('torch=='))
    name = script.wheel_name(pins.partition('==')[2] + '+cu130', 'cuda')
    other = tmp_path / 'wheels' / name.replace(f'cp{sys.version_info.major}{sys.version_info.minor}', 'cp39')
    ours = tmp_path / 'wheels' / name
    for folder in (other, ours):
        folder.mkdir(parents=True)
    (other / 'mmcv-2.1.0.whl').touch()
    with pytest.raises(script.SetupError, match='no compiler'):
        build(tmp_path, 'compiled')
    (ours / 'mmcv-2.1.0.whl').touch()
    assert build(tmp_path, 'compiled') == ['compiled']


@pytest.mark.parametrize(('words', 'expected'), [
    (['setup'], '"/opt/my python" scripts/setup_env.py --dev'),
    (['setup', 'OPS=compiled'], '"/opt/my python" scripts/setup_env.py --dev --ops "compiled"'),
    (['setup', 'PYTHON=/a b/python3.12'], '"/a b/python3.12" scripts/setup_env.py --dev'),
    (['docs'], '"/opt/my python" scripts/setup_env.py --dev --docs'),
    (['test'], '"/opt/my python" scripts/setup_env.py --dev --docs')])
def test_make_keeps_the_python_of_the_environment(tmp_path, words, expected):
    if shutil.which('make') is None:
        pytest.skip('no make')
    shutil.copy(ROOT / 'Makefile', tmp_path)
    (tmp_path / '.venv' / '.setup').mkdir(parents=True)
    (tmp_path / '.venv' / '.setup' / 'python').write_text('/opt/my python')
    of_an_outer_make = ('MAKEFLAGS', 'MAKELEVEL', 'MFLAGS')  # make would print 'Leaving directory' at the end
    environment = {key: value for key, value in os.environ.items() if key not in ('PYTHON', 'OPS', *of_an_outer_make)}
    done = subprocess.run(['make', '-n', *words], cwd=tmp_path, env=environment, capture_output=True, text=True,
                          check=True)
    line, = (line for line in done.stdout.splitlines() if 'setup_env.py' in line)
    assert line.rstrip() == expected


def test_the_compiler_has_no_space_in_its_path(script, tmp_path, monkeypatch):
    """The ninja file of torch does not quote the path."""
    wheel = importlib.import_module('mmcv_wheel')
    root, seen = tmp_path / 'my checkout', []
    root.mkdir()
    monkeypatch.setattr(wheel, 'WRAPPER', shutil.copy2(wheel.WRAPPER, root))
    monkeypatch.setattr(wheel.tempfile, 'tempdir', str(tmp_path))

    def pip(*words, failure, **env):
        assert os.access(env['CXX'], os.X_OK)
        seen.append(env['CXX'])
        words[-1].mkdir()

    wheel.build_wheel(pip, root / 'cache' / 'wheel', '/bin/c++', for_cuda=False)
    assert seen
    assert ' ' not in seen[0]
    assert (root / 'cache' / 'wheel').is_dir()


def test_the_compiler_takes_paths_with_spaces(tmp_path):
    compiler = shutil.which('c++')
    if compiler is None:
        pytest.skip('no compiler')
    folder = tmp_path / 'with space'
    (folder / 'torch').mkdir(parents=True)
    (folder / 'torch' / 'extension.h').write_text('inline int three() { return 3; }')
    (folder / 'a.cpp').write_text('int four() { return three() + 1; }')
    environment = {**os.environ, 'PCH_CXX': compiler, 'PCH_DIR': str(folder)}
    subprocess.run([ROOT / 'scripts' / 'cxx_with_pch.sh', f'-I{folder}', '-c', folder / 'a.cpp', '-o', folder / 'a.o'],
                   env=environment, check=True)
    assert (folder / 'a.o').is_file()
    assert (folder / 'torch_pch.h.gch').is_file()
