"""Child registries of mmengine's roots, so that every host's configs can name ``hrnet_plugin.X``.

mmengine imports this module on its own when a config names the scope ``hrnet_plugin``; nobody has to import the plugin.
Nothing here may raise ImportError while it is imported: mmengine swallows it and later says that the type is not
registered.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import WEIGHT_INITIALIZERS as MMENGINE_WEIGHT_INITIALIZERS
from mmengine.registry import Registry

from hrnet_plugin.requirements import install_command

# Models that extend one of a host: name -> (host, the module that registers it).
_OF_HOSTS = {
    'FCNHead': ('mmseg', 'hrnet_plugin.models.decode_heads'),
    'OCRHead': ('mmseg', 'hrnet_plugin.models.decode_heads'),
    'LeftRightTTAModel': ('mmseg', 'hrnet_plugin.models.segmentors'),
    'CenterTripletHead': ('mmdet', 'hrnet_plugin.models.dense_heads'),
    'CenterTripletTTAModel': ('mmdet', 'hrnet_plugin.models.dense_heads'),
}


class HostAwareRegistry(Registry):
    """Registry that imports what extends a host when a config names it, and prepares the process for models.

    Raises:
        ImportError: From ``get``, if the host of what is asked for is not installed; it has the command that installs
            it.
    """

    def get(self, key: str) -> Any:
        import_module('hrnet_plugin.plugin')
        host, module = _OF_HOSTS.get(key.removeprefix(f'{self.scope}.'), ('', ''))
        if module:
            if find_spec(host) is None:
                raise ImportError(f'{self.scope}.{key} needs {host}, which is not installed: {install_command(host)}')
            import_module(module)
        return super().get(key)


MODELS = HostAwareRegistry('model', parent=MMENGINE_MODELS, scope='hrnet_plugin', locations=['hrnet_plugin.models'])
HOOKS = Registry('hook', parent=MMENGINE_HOOKS, scope='hrnet_plugin', locations=['hrnet_plugin.hooks'])
OPTIM_WRAPPERS = Registry(
    'optim wrapper', parent=MMENGINE_OPTIM_WRAPPERS, scope='hrnet_plugin', locations=['hrnet_plugin.optim'])
TRANSFORMS = Registry(
    'transform', parent=MMENGINE_TRANSFORMS, scope='hrnet_plugin', locations=['hrnet_plugin.transforms'])
WEIGHT_INITIALIZERS = Registry(
    'weight initializer', parent=MMENGINE_WEIGHT_INITIALIZERS, scope='hrnet_plugin',
    locations=['hrnet_plugin.checkpoints'])
