"""One HRNet for mmdet, mmpose and mmsegmentation, named by config files as ``hrnet_plugin.HRNet``."""

from hrnet_plugin.config_files import cfg
from hrnet_plugin.version import __version__

__all__ = ['__version__', 'cfg']
