"""Child registries of mmengine's roots, so that every host's configs can name ``hrnet_plugin.X``.

mmengine imports this module on its own when a config names the scope ``hrnet_plugin``; nobody has to import the plugin.
Nothing here may raise ImportError: mmengine swallows it and later says that the type is not registered.
"""

from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import Registry

MODELS = Registry('model', parent=MMENGINE_MODELS, scope='hrnet_plugin', locations=['hrnet_plugin.models'])
OPTIM_WRAPPERS = Registry(
    'optim wrapper', parent=MMENGINE_OPTIM_WRAPPERS, scope='hrnet_plugin', locations=['hrnet_plugin.optim'])
TRANSFORMS = Registry(
    'transform', parent=MMENGINE_TRANSFORMS, scope='hrnet_plugin', locations=['hrnet_plugin.transforms'])
