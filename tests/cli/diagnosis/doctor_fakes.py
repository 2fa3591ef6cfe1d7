"""Fake environments: virtual environments whose packages are a few lines each, with the errors of the real ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import venv
from pathlib import Path

from paths import ROOT

ORIGIN = 'mmcv_torch_ops 0.1.0'

TORCH = """
import pickle
from types import SimpleNamespace
__version__ = '2.11.0'
version, cuda, ops = SimpleNamespace(cuda='13.0'), SimpleNamespace(device_count=lambda: 0), SimpleNamespace()

def save(value, file):
    with open(file, 'wb') as stream:
        pickle.dump(value, stream)

def from_numpy(array):
    return array

def load(file, weights_only):
    assert weights_only
    with open(file, 'rb') as stream:
        return pickle.load(stream)
"""
TORCHVISION = """
import torch
from types import SimpleNamespace
__version__ = '0.26.0'
torch.ops.torchvision = SimpleNamespace(nms='nms', _cuda_version=lambda: 13000)
"""
PKG_RESOURCES = """
from importlib.metadata import distribution

def location(package):
    return str(distribution(package).locate_file(package))
"""
PACKAGE_UTILS = """
def get_installed_path(package):
    import pkg_resources
    return pkg_resources.location(package)
"""
# the assert of mmdet and mmseg
HOST = """
import mmcv
import mmengine
__version__ = '{version}'
mmcv_minimum_version = '2.0.0rc4'
mmcv_maximum_version = '{maximum}'
if not mmcv.__version__ < mmcv_maximum_version:
    raise AssertionError(f'MMCV=={{mmcv.__version__}} is used but incompatible.')
"""
PARTS = dict.fromkeys(('datasets.py', 'evaluation.py', 'visualization.py'), '')
OPERATORS = {'mmcv/_ext.py': 'from mmcv_torch_ops import *\nfrom mmcv_torch_ops import ORIGIN',
             'mmcv_torch_ops/__init__.py': f"import torchvision\nORIGIN = '{ORIGIN}'"}


def host(name, version, maximum, **parts):
    """Return the files of a host: path -> text."""
    files = {'__init__.py': HOST.format(version=version, maximum=maximum), 'models.py': 'import mmcv._ext', **PARTS,
             **{f'{part}.py': text for part, text in parts.items()}}
    return {f'{name}/{file}': text for file, text in files.items()}


class FakeSite:
    """Site directory of a virtual environment in which nothing is installed yet."""

    def __init__(self, folder):
        venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
        self.python = folder / 'bin' / 'python'
        (folder / 'bin' / 'pip').touch(0o755)
        self.folder = next(folder.glob('lib/python3*/site-packages'))
        self.home = folder / 'empty'
        self.home.mkdir()

    def install(self, distribution, version, files, folder=None, direct_url=None):
        """Write files and the metadata of a distribution; ``folder`` is another site directory."""
        folder = folder or self.folder
        info = folder / f'{distribution.replace("-", "_")}-{version}.dist-info'
        files = {**files, info.name + '/METADATA': f'Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n'}
        if direct_url:
            files[info.name + '/direct_url.json'] = json.dumps(direct_url)
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        (info / 'RECORD').write_text(''.join(f'{name},,\n' for name in [*files, f'{info.name}/RECORD']))

    def uninstall(self, distribution):
        """Remove the files of a distribution as pip does: those in its record, whoever wrote them last."""
        info, = self.folder.glob(f'{distribution.replace("-", "_")}-*.dist-info')
        for line in (info / 'RECORD').read_text().splitlines():
            (self.folder / line.split(',')[0]).unlink(missing_ok=True)
        for parent, _, _ in os.walk(self.folder, topdown=False):
            if not os.listdir(parent):
                os.rmdir(parent)

    def install_mmcv(self, distribution='mmcv-lite', version='2.1.0', folder=None):
        self.install(distribution, version, {'mmcv/__init__.py': f"__version__ = '{version}'", 'mmcv/cnn.py': ''},
                     folder)

    def install_plugin(self, folder=None, **options):
        """Install the plugin with the real doctor, and with fakes of what it imports to try."""
        package = (folder or self.folder) / 'hrnet_plugin'
        self.install('hrnet_plugin', '0.1.0', {} if options else {'hrnet_plugin/.mim/configs/x.py': ''}, **options)
        for name, text in (('__init__', ''), ('models/__init__', 'import torch, mmengine.utils, mmcv.cnn'),
                           ('checkpoints/__init__', 'def allow_mmengine_checkpoints(): pass')):
            (package / name).parent.mkdir(parents=True, exist_ok=True)
            (package / f'{name}.py').write_text(text)
        for name in ('cli', 'hosts', '__main__.py', 'escaping.py', 'requirements.py', 'suggest.py', 'version.py'):
            (package / name).symlink_to(ROOT / 'hrnet_plugin' / name)

    def doctor(self, *words, **env):
        """Run the doctor in an empty folder; return its exit code and what it printed."""
        return run_doctor(self.python, self.home, *words, **env)


def run_doctor(python, folder, *words, **env):
    """Run the doctor with an interpreter, in a folder, and return its exit code and what it printed."""
    path = f'{Path(python).parent}{os.pathsep}{os.environ["PATH"]}'
    done = subprocess.run([python, '-m', 'hrnet_plugin', 'doctor', *words], cwd=folder, env={
        'PATH': path, 'HOME': str(folder), **env}, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        raise RuntimeError(done.stdout + done.stderr)
    return done.returncode, done.stdout


def install_all(site):
    """Install a working stack without a compiled mmcv."""
    site.install('torch', '2.11.0', {'torch/__init__.py': TORCH})
    site.install('torchvision', '0.26.0', {'torchvision/__init__.py': TORCHVISION})
    site.install('numpy', '1.26.4', {'numpy/__init__.py': "__version__ = '1.26.4'\ndef zeros(shape): return []"})
    site.install('setuptools', '80.9.0', {'pkg_resources/__init__.py': PKG_RESOURCES})
    site.install('mmengine', '0.10.7', {
        'mmengine/__init__.py': "__version__ = '0.10.7'", 'mmengine/logging.py': 'class HistoryBuffer: pass',
        'mmengine/utils/__init__.py': 'from .package_utils import *', 'mmengine/utils/package_utils.py': PACKAGE_UTILS})
    site.install_mmcv()
    site.install('mmcv-torch-ops', '0.1.0', OPERATORS)
    site.install('mmdet', '3.3.0', host('mmdet', '3.3.0', '2.2.0'))
    site.install('xtcocotools', '1.14.3', {'xtcocotools/__init__.py': ''})
    site.install('mmpose', '1.3.2', host('mmpose', '1.3.2', '3.0.0', visualization='import torchvision',
                                         models='import mmcv._ext, mmdet.models, xtcocotools'))
    site.install('mmsegmentation', '1.2.2', host('mmseg', '1.2.2', '2.2.0'))
    site.install('openmim', '0.3.9', {'mim/__init__.py': "import pkg_resources\n__version__ = '0.3.9'"})
    site.install_plugin()


def commands(text, title='Problems'):
    """Return the commands in a section of a report."""
    section = re.search(rf'^{title}\n((?:.+\n?)*)', text, re.M)
    return re.findall(r'^    (\S.*)$', section[1], re.M) if section else []
