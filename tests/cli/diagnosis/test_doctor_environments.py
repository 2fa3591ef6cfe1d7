"""The doctor in real virtual environments with fake packages."""

from __future__ import annotations

import os
import re
import sys

import pytest
from doctor_fakes import ORIGIN, ROOT, TORCH, TORCHVISION, FakeSite, commands, install_all, run_doctor

from hrnet_plugin.requirements import install_command

LITE, OPERATORS = 'mmcv-lite==2.1.0', './packages/mmcv_ops'


@pytest.fixture
def site(tmp_path):
    site = FakeSite(tmp_path / 'venv')
    install_all(site)
    return site


def diagnose(site, *words):
    """Check that the exit code agrees with the problems, and return their commands and the report."""
    code, text = site.doctor(*words)
    assert code == bool(commands(text)), text
    return commands(text), re.sub(r'\n(  |              )(?=\S)', ' ', text)  # without line breaks


def test_a_working_environment(site):
    found, text = diagnose(site)
    assert found == []
    assert commands(text, 'Notes') == ['pip install mmpretrain']
    assert 'Ready for: network, mmdet, mmpose, mmseg\n' in text
    assert 'Not ready' not in text
    assert f'mmcv._ext     {ORIGIN}, ' in text
    assert "checkpoints   torch reads those of mmengine's runner" in text


def test_no_torchvision(site):
    site.uninstall('torchvision')
    found, text = diagnose(site)
    assert found == ['pip install torchvision torch==2.11.0']
    assert 'Ready for: network\nNot ready for: mmdet, mmpose, mmseg\n' in text


def test_no_torchvision_beside_a_compiled_mmcv(site):
    """Only mmpose needs it then."""
    site.uninstall('torchvision')
    site.uninstall('mmcv-torch-ops')
    site.install('mmcv', '2.1.0', {'mmcv/_ext.py': ''}, site.folder)
    site.uninstall('mmcv-lite')
    site.install_mmcv('mmcv')
    found, text = diagnose(site)
    assert found == ['pip install torchvision torch==2.11.0']
    assert 'Ready for: network, mmdet, mmseg\nNot ready for: mmpose\n' in text


def test_mmcv_that_hosts_refuse(site):
    site.uninstall('mmcv-lite')
    site.install_mmcv('mmcv', '2.2.0')
    found, text = diagnose(site)
    assert found == [f'pip uninstall -y mmcv && pip install {LITE}']
    assert 'mmcv must be >=2.0.0rc4,<2.2.0 for mmdet 3.3.0' in text
    # mmpose itself accepts it, but imports mmdet
    assert 'Not ready for: mmdet, mmpose, mmseg\n' in text


def test_mmcv_that_hosts_refuse_and_without_operators(site):
    site.uninstall('mmcv-torch-ops')
    site.uninstall('mmcv-lite')
    site.install_mmcv('onedl-mmcv', '2.3.6')
    found, _ = diagnose(site)
    assert found == [f'pip uninstall -y onedl-mmcv && pip install {LITE} {OPERATORS}']


@pytest.mark.parametrize('distribution', ['mmcv', 'mmcv-lite'])
def test_mmcv_without_operators(site, distribution):
    site.uninstall('mmcv-torch-ops')
    site.uninstall('mmcv-lite')
    site.install_mmcv(distribution)
    found, text = diagnose(site)
    assert found == [f'pip install {OPERATORS}']
    assert 'mmcv._ext     missing\n' in text
    assert 'Ready for: network\n' in text


def test_mmcv_without_operators_and_without_hosts(site):
    """The network does not require operators, so nothing is broken."""
    for name in ('mmcv-torch-ops', 'mmdet', 'mmpose', 'mmsegmentation', 'torchvision'):
        site.uninstall(name)
    found, text = diagnose(site)
    assert found == []
    command = f'pip install {OPERATORS} torch==2.11.0'
    assert command in commands(text, 'Notes')
    assert command in diagnose(site, '--for', 'mmdet')[0]


def test_mmcv_and_mmcv_lite_side_by_side(site):
    site.install_mmcv('mmcv')
    command = f'pip uninstall -y mmcv mmcv-lite && pip install {LITE}'
    assert diagnose(site)[0] == [command]
    site.uninstall('mmcv-lite')  # also deletes files of mmcv
    assert diagnose(site)[0] == [command.replace(' mmcv-lite', '', 1)]


def test_operators_without_mmcv(site):
    site.uninstall('mmcv-lite')
    found, text = diagnose(site)
    assert found == [f'pip install {LITE}']
    assert 'mmcv-lite must be installed beside mmcv-torch-ops 0.1.0' in text
    assert 'Ready for: nothing\n' in text


def test_operators_in_another_site_directory(site, tmp_path):
    """mmcv is in another site directory on the search path, so pip regards mmcv-lite as installed."""
    site.uninstall('mmcv-lite')
    site.install_mmcv(folder=tmp_path / 'user')
    (site.folder / 'user.pth').write_text(str(tmp_path / 'user'))
    found, text = diagnose(site)
    assert found == [f'pip install --ignore-installed --no-deps {LITE} {OPERATORS}']
    assert 'must be in the site directory of mmcv' in text
    site.install_mmcv()  # what the command does
    assert diagnose(site)[0] == []


def test_setuptools_without_pkg_resources(site):
    site.uninstall('setuptools')
    site.install('setuptools', '82.0.0', {'setuptools/__init__.py': ''})
    found, text = diagnose(site)
    assert found == ["pip install 'setuptools<81'"]
    assert 'for mmengine 0.10.7 and openmim 0.3.9, got' in text
    assert 'Ready for: network\n' in text


def test_a_missing_host(site):
    site.uninstall('mmpose')
    site.uninstall('mmdet')
    found, text = diagnose(site)
    assert found == []
    assert 'pip install mmdet' in commands(text, 'Notes')
    assert diagnose(site, '--for', 'mmdet')[0] == ['pip install mmdet']
    assert diagnose(site, '--for', 'mmseg')[0] == []
    found, text = diagnose(site, '--for', 'mmdet', 'mmpose')
    assert found == ['pip install mmdet', f'pip install mmdet && {install_command("mmpose")}']
    assert 'Not ready for: mmdet, mmpose\n' in text


def test_a_leftover_folder_of_an_uninstalled_host(site):
    site.uninstall('mmpose')
    (site.folder / 'mmpose').mkdir()
    found, text = diagnose(site)
    assert found == []
    assert 'mmpose        not installed\n' in text


def test_an_editable_install(site, tmp_path):
    site.uninstall('hrnet_plugin')
    for path in (site.folder / 'hrnet_plugin').rglob('*.py'):
        path.unlink()
    (site.folder / 'hrnet_plugin').rename(tmp_path / 'old')
    site.install_plugin(tmp_path / 'checkout', direct_url={'url': 'file:///checkout', 'dir_info': {'editable': True}})
    (site.folder / '__editable__.hrnet_plugin-0.1.0.pth').write_text(str(tmp_path / 'checkout'))
    found, text = diagnose(site)
    assert found == ['pip install --force-reinstall --no-deps .']
    assert 'hrnet_plugin  0.1.0, editable, mim does not find it' in text
    assert 'in the checkout of hrnet_plugin (/checkout).' in text


def test_xtcocotools_for_another_numpy(site):
    site.install('xtcocotools', '1.14.3', {'xtcocotools/__init__.py': (
        "raise ValueError('numpy.dtype size changed, may indicate binary incompatibility.')")})
    found, text = diagnose(site)
    assert found == ["pip install 'numpy<2'"]
    assert 'Ready for: network, mmdet, mmseg\nNot ready for: mmpose\n' in text


def test_a_torchvision_of_another_build(site):
    site.install('torchvision', '0.26.0', {'torchvision/__init__.py': (
        "raise RuntimeError('operator torchvision::nms does not exist')")})
    found, text = diagnose(site)
    assert found == ['pip uninstall -y torchvision && pip install torchvision torch==2.11.0']
    assert 'operator torchvision::nms does not exist' in text


def test_an_import_that_kills_the_interpreter(site):
    """The modules after it are probed, too."""
    site.install('mmdet', '3.3.0', {'mmdet/models.py': 'import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)'})
    site.uninstall('mmpose')
    found, text = diagnose(site)
    assert found == ["python -c 'import mmdet.models'  # prints the traceback"]
    assert 'interpreter killed by signal 11' in text
    assert 'Ready for: network, mmseg\nNot ready for: mmdet\n' in text


@pytest.mark.parametrize('body', ['raise OSError("libcudart.so")', 'import sys; sys.exit(3)', 'import os; os._exit(3)'])
def test_a_torch_that_does_not_import(site, body):
    """One cause is reported as one problem."""
    site.install('torch', '2.11.0', {'torch/__init__.py': body})
    found, text = diagnose(site)
    assert found == ['pip uninstall -y torch torchvision && pip install torchvision torch==2.11.0']
    assert 'Ready for: nothing\n' in text


def test_nothing_is_installed(tmp_path):
    """The doctor imports the standard library only."""
    site, tree = FakeSite(tmp_path / 'venv'), tmp_path / 'tree'
    tree.mkdir()
    (tree / 'hrnet_plugin').symlink_to(ROOT / 'hrnet_plugin')  # without the metadata that a build leaves beside it
    code, text = site.doctor(PYTHONPATH=str(tree))
    assert code == 1
    assert commands(text) == ["pip install 'torch>=2.1' torchvision", 'pip install numpy',
                              'pip install mmengine==0.10.7', f'pip install {LITE} {OPERATORS}']
    assert 'pip install .' in commands(text, 'Notes')


def test_the_environment_of_the_tests(tmp_path):
    code, text = run_doctor(sys.executable, tmp_path, PYTHONPATH=str(ROOT))
    assert code == 0, text
    for label in ('torch', 'mmcv', 'mmcv._ext', 'hrnet_plugin'):
        assert f'\n{label:14}' in text
    assert 'Ready for: network' in text


GPU_TORCH = TORCH.replace('device_count=lambda: 0', 'device_count=lambda: 1, get_device_name=lambda index: "H100"')


def test_commands_name_the_interpreter_that_is_not_on_the_path(site):
    """The commands also work with another python on PATH or without pip on PATH."""
    site.uninstall('torchvision')
    command = 'pip install torchvision torch==2.11.0'
    for path in (os.environ['PATH'], ''):
        _, text = site.doctor(PATH=path)
        assert commands(text) == [f'{site.python} -m {command}']
    (site.python.parent / 'pip').unlink()
    assert commands(site.doctor()[1]) == [f'{site.python} -m {command}']


def test_a_path_with_a_space(tmp_path):
    site = FakeSite(tmp_path / 'my venv')
    install_all(site)
    site.uninstall('torchvision')
    _, text = site.doctor(PATH='')
    assert commands(text) == [f"'{site.python}' -m pip install torchvision torch==2.11.0"]


def test_a_torch_that_cannot_use_numpy(site):
    site.install('torch', '2.1.2', {'torch/__init__.py': TORCH + (
        "def from_numpy(array):\n    raise RuntimeError('Numpy is not available')\n")})
    site.uninstall('numpy')
    site.install('numpy', '2.2.6', {'numpy/__init__.py': "__version__ = '2.2.6'\ndef zeros(shape): return []"})
    found, text = diagnose(site)
    assert found == ["pip install 'numpy<2'"]
    assert 'RuntimeError: Numpy is not available' in text
    assert 'Ready for: nothing\n' in text


def test_a_torchvision_without_cuda_beside_a_gpu(site):
    site.install('torch', '2.11.0', {'torch/__init__.py': GPU_TORCH})
    assert diagnose(site)[0] == []
    site.install('torchvision', '0.26.0', {'torchvision/__init__.py': TORCHVISION.replace('13000', '-1')})
    found, text = diagnose(site)
    assert found == ['pip uninstall -y torchvision && pip install torchvision torch==2.11.0']
    assert 'Not ready for: mmdet, mmpose, mmseg\n' in text
