"""A child registry of mmengine's root, so that every host's configs can name ``hrnet_plugin.X``.

mmengine imports this module on its own when a config names the scope ``hrnet_plugin``; nobody has to import the plugin.
Nothing here may raise ImportError: mmengine swallows it and later says that the type is not registered.
"""

from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import Registry

MODELS = Registry('model', parent=MMENGINE_MODELS, scope='hrnet_plugin', locations=['hrnet_plugin.models'])
