"""Names, signatures and distribution of mmcv_torch_ops."""

from __future__ import annotations

import importlib.util
import inspect
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import mmcv_torch_ops
import pytest
from mmcv_ops_helpers import compiled, mmcv_module, read_signature, stored_signature
from paths import ROOT

PACKAGE = ROOT / 'packages' / 'mmcv_ops'
OPERATORS = [name for name in mmcv_torch_ops.__all__ if name not in ('ORIGIN', '__version__')]


@pytest.fixture(scope='module')
def shim():
    """``mmcv/_ext.py`` of the distribution."""
    spec = importlib.util.spec_from_file_location('mmcv_ext_of_mmcv_torch_ops', PACKAGE / 'mmcv' / '_ext.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_package_is_of_the_working_tree():
    assert Path(mmcv_torch_ops.__file__).parent == PACKAGE / 'mmcv_torch_ops'


def test_origin(shim):
    assert mmcv_torch_ops.ORIGIN == shim.ORIGIN == f'mmcv_torch_ops {mmcv_torch_ops.__version__}'
    assert shim.__file__.endswith('_ext.py')
    assert mmcv_torch_ops.ORIGIN in shim.get_compiler_version()
    assert isinstance(shim.get_compiling_cuda_version(), str)


def test_a_compiled_mmcv_has_no_origin():
    assert not hasattr(compiled(), 'ORIGIN')


@pytest.mark.parametrize('name', OPERATORS)
def test_arguments_are_those_of_compiled_operators(name):
    parameters = inspect.signature(getattr(mmcv_torch_ops, name)).parameters
    assert list(parameters) == stored_signature(name)
    assert all(parameter.default is inspect.Parameter.empty for parameter in parameters.values())


@pytest.mark.parametrize('name', OPERATORS)
def test_stored_signatures_are_current(name):
    assert stored_signature(name) == read_signature(name)


def test_all_names_of_mmcv_exist(shim):
    folder = Path(mmcv_module('nms').__file__).parent
    names = {name for file in folder.glob('*.py')
             for loaded in re.findall(r"load_ext\(\s*'_ext',\s*\[(.*?)\]", file.read_text(), re.S)
             for name in re.findall(r"'(\w+)'", loaded)}
    assert len(names) > 100
    assert set(OPERATORS) <= names
    assert all(callable(getattr(shim, name)) for name in names)
    assert all(callable(getattr(mmcv_torch_ops, name)) for name in names)


def test_operators_of_the_shim_are_those_of_the_package(shim):
    assert all(getattr(shim, name) is getattr(mmcv_torch_ops, name) for name in [*OPERATORS, 'carafe_forward'])


@pytest.mark.parametrize('name', ['carafe_forward', 'nms_rotated'])
def test_missing_operators(shim, name):
    operator = getattr(shim, name)
    assert operator.__name__ == name
    steps = 'pip uninstall -y mmcv-lite mmcv-torch-ops .*MMCV_WITH_OPS=1 pip install .*mmcv==2.1.0$'
    with pytest.raises(NotImplementedError, match=f'no operator {name}. Compile mmcv.*{steps}') as error:
        operator(1, 2, scale=3)
    assert '\n' not in str(error.value)


def test_private_names_are_no_operators(shim):
    assert not hasattr(mmcv_torch_ops, '_anything')
    assert not hasattr(shim, '__path__')


def python(code, *search_path):
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(map(str, search_path)))
    return subprocess.run([sys.executable, '-c', code], env=environment, capture_output=True, text=True, check=False)


def test_mmcv_is_not_imported():
    code = 'import sys; sys.modules["mmcv"] = sys.modules["mmengine"] = None; import mmcv_torch_ops'
    done = python(code, PACKAGE)
    assert done.returncode == 0, done.stderr


def test_torchvision_for_another_torch(tmp_path):
    (tmp_path / 'torchvision.py').write_text('raise RuntimeError("operator torchvision::nms does not exist")')
    done = python('import mmcv_torch_ops', tmp_path, PACKAGE)
    assert 'ImportError: torchvision must be built for torch ' in done.stderr
    assert 'Install a matching pair' in done.stderr


@pytest.fixture(scope='module')
def distributions(tmp_path_factory):
    """Wheel and source archive, built from a copy of the sources."""
    source, output = tmp_path_factory.mktemp('source') / 'mmcv_ops', tmp_path_factory.mktemp('dist')
    shutil.copytree(PACKAGE, source, ignore=shutil.ignore_patterns('build', '*.egg-info', '__pycache__'))
    subprocess.run([sys.executable, '-m', 'build', '--no-isolation', '--outdir', output, source], check=True,
                   capture_output=True)
    return output


@pytest.mark.integration
def test_wheel(distributions):
    file, = distributions.glob('*.whl')
    assert file.name == f'mmcv_torch_ops-{mmcv_torch_ops.__version__}-py3-none-any.whl'
    with zipfile.ZipFile(file) as wheel:
        names = wheel.namelist()
        metadata = wheel.read(next(name for name in names if name.endswith('METADATA'))).decode()
    info = f'mmcv_torch_ops-{mmcv_torch_ops.__version__}.dist-info/'
    files = {name for name in names if not name.startswith(info)}
    sources = {f'mmcv_torch_ops/{path.name}' for path in (PACKAGE / 'mmcv_torch_ops').glob('*.py')}
    assert files == sources | {'mmcv/_ext.py', 'mmcv_torch_ops/py.typed'}
    requirements = re.findall(r'^Requires-Dist: ([\w-]+)', metadata, re.M)
    assert sorted(requirements) == ['torch', 'torchvision']
    assert any(name.startswith(info) and name.endswith('LICENSE') for name in names)


@pytest.mark.integration
def test_source_archive(distributions):
    file, = distributions.glob('*.tar.gz')
    with tarfile.open(file) as archive:
        members = {member.name.split('/', 1)[-1]: member for member in archive.getmembers()}
    assert {'mmcv/_ext.py', 'mmcv_torch_ops/nms.py', 'mmcv_torch_ops/py.typed', 'README.md', 'LICENSE',
            'setup.cfg', 'pyproject.toml'} <= members.keys()
    assert members['LICENSE'].isfile()
    assert 'mmcv/__init__.py' not in members
