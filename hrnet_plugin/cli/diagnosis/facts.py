"""Facts about an environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hrnet_plugin import hosts
from hrnet_plugin.cli.diagnosis.versions import Range

# import name -> names of the distributions that have its files
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
        url: Where pip installed it from. Empty for a package index.
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
        file: Its file. Empty for a namespace package.
        folders: Folders of a package.
        error: Error of the import. Empty if it imports.
        details: What else its probe found, e.g. its version.
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
        ranges: Versions that each host asserts.
        network_error: Error of importing the network. Empty if it imports.
        checkpoint_error: Error of reading a checkpoint of mmengine's runner. Empty if torch reads it.
        plugin_folder: Folder of the plugin as mmengine and mim find it.
        has_configs: Whether the configs are in that folder.
        uses_pkg_resources: Whether this mmengine requires ``pkg_resources``.
        search_path: Folders in which Python looks for modules, in order.
        site: Folder into which pip installs.
        site_is_writable: Whether that folder can be written to.
        user_site: Folder into which ``pip install --user`` installs.
        executable: Path of the interpreter. Empty if ``python`` and ``pip`` on PATH are its own.
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
        """Return the installed distributions that have the files of a module."""
        return tuple(found for found in self.distributions if found.name in PROVIDERS[module])

    def version(self, module: str) -> str:
        """Return the version of a module by itself, else by its distribution. Empty if neither has one."""
        own = self.modules[module].details.get('version', '') if module in self.modules else ''
        return own or next((found.version for found in self.providers(module)), '')

    def works(self, module: str) -> bool:
        return module in self.modules and not self.modules[module].error

    def detail(self, module: str, key: str) -> str:
        """Return what the probe of a module found. Empty if it found nothing."""
        return self.modules[module].details.get(key, '') if module in self.modules else ''

    @property
    def has_cuda_gpus(self) -> bool:
        """Return True if torch is built for CUDA and sees GPUs."""
        return bool(self.detail('torch', 'cuda')) and self.detail('torch', 'devices') not in ('', '0')
