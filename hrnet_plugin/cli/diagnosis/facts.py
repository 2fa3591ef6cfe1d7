"""Facts about an environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hrnet_plugin import hosts
from hrnet_plugin.cli.diagnosis.versions import Range

# import name -> names of the distributions that provide it
PROVIDERS = {
    'torch': ('torch', ),
    'torchvision': ('torchvision', ),
    'numpy': ('numpy', ),
    'pkg_resources': ('setuptools', ),
    'mmengine': ('mmengine', 'mmengine-lite', 'onedl-mmengine'),
    'mmcv': ('mmcv', 'mmcv-lite', 'mmcv-full', 'onedl-mmcv'),
    'mmcv._ext': ('mmcv-torch-ops', ),
    'mmdet': ('mmdet', 'onedl-mmdetection'),
    'mmpose': ('mmpose', 'onedl-mmpose'),
    'mmseg': ('mmsegmentation', 'onedl-mmsegmentation'),
    'mmpretrain': ('mmpretrain', 'onedl-mmpretrain'),
    'mim': ('openmim', 'onedl-mim'),
    'hrnet_plugin': ('hrnet-plugin', ),
}
HOSTS = tuple(hosts.HOSTS)


@dataclass(frozen=True)
class Distribution:
    """Installed distribution.

    Args:
        name: Normalized name, e.g. 'mmcv-lite'.
        version: Version, e.g. '2.1.0'.
        folder: Site directory.
        url: URL from which pip installed it. Empty for a package index.
        is_editable: Whether it is an editable install.
    """

    name: str
    version: str
    folder: str = ''
    url: str = ''
    is_editable: bool = False

    def __str__(self) -> str:
        return f'{self.name} {self.version}'


@dataclass(frozen=True)
class Module:
    """Module that can be located.

    Args:
        file: File of the module. Empty for a namespace package.
        folders: Folders of a package.
        error: Error of the import. Empty if the import succeeds.
        details: Other results of the probe, e.g. the version.
    """

    file: str = ''
    folders: tuple[str, ...] = ()
    error: str = ''
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """Environment of the running interpreter.

    Args:
        python: Version and path of the interpreter.
        platform: Operating system and processor.
        distributions: Installed distributions among ``PROVIDERS``.
        modules: Modules that can be located, by import name.
        ranges: Version ranges that each host asserts at import.
        network_error: Error of importing the network. Empty if the import succeeds.
        checkpoint_error: Error of reading a checkpoint of mmengine's runner. Empty if torch can read it.
        plugin_folder: Folder in which mmengine and mim find the plugin.
        has_configs: Whether the configs are in that folder.
        uses_pkg_resources: Whether this mmengine requires ``pkg_resources``.
        search_path: Module search path (``sys.path``).
        site: Site directory into which pip installs.
        site_is_writable: Whether that folder is writable.
        user_site: Site directory of ``pip install --user``.
        executable: Path of the interpreter. Empty if ``python`` and ``pip`` on PATH belong to it.
    """

    python: str
    platform: str
    distributions: tuple[Distribution, ...] = ()
    modules: Mapping[str, Module] = field(default_factory=dict)
    ranges: Mapping[str, tuple[Range, ...]] = field(default_factory=dict)
    network_error: str = ''
    checkpoint_error: str = ''
    plugin_folder: str = ''
    has_configs: bool = False
    uses_pkg_resources: bool = False
    search_path: tuple[str, ...] = ()
    site: str = ''
    site_is_writable: bool = True
    user_site: str = ''
    executable: str = ''

    def providers(self, module: str) -> tuple[Distribution, ...]:
        """Return the installed distributions that provide a module."""
        return tuple(found for found in self.distributions if found.name in PROVIDERS[module])

    def version(self, module: str) -> str:
        """Return the version that a module has, or else that of its distribution. Empty if neither has one."""
        own = self.modules[module].details.get('version', '') if module in self.modules else ''
        return own or next((found.version for found in self.providers(module)), '')

    def works(self, module: str) -> bool:
        return module in self.modules and not self.modules[module].error

    def detail(self, module: str, key: str) -> str:
        """Return a result of a module's probe. Empty if it is missing."""
        return self.modules[module].details.get(key, '') if module in self.modules else ''

    @property
    def has_cuda_gpus(self) -> bool:
        """Return True if torch is built for CUDA and GPUs are available."""
        return bool(self.detail('torch', 'cuda')) and self.detail('torch', 'devices') not in ('', '0')
