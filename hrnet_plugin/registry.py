"""Child registries of mmengine's root registries, so that configs of all hosts can use ``hrnet_plugin.X``.

mmengine imports this module when a config uses the scope ``hrnet_plugin``, so that users need not import the plugin.
The import must not raise ImportError: mmengine ignores it and later reports that the type is not registered.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec

from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import LOOPS as MMENGINE_LOOPS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import WEIGHT_INITIALIZERS as MMENGINE_WEIGHT_INITIALIZERS
from mmengine.registry import Registry

from hrnet_plugin.argument_errors import with_named_errors
from hrnet_plugin.hosts import HOSTS
from hrnet_plugin.suggest import did_you_mean

_EXTENSIONS = {name: (host, module) for host in HOSTS.values() for name, module in host.extensions.items()}


class PluginRegistry(Registry):
    """Registry that suggests the closest name for a misspelled one, and whose types name themselves in errors."""

    def register_module(self, name: str | list[str] | None = None, force: bool = False, module: type | None = None
                        ) -> type | Callable[[type], type]:
        """Register a class. Errors of its constructor then name the type and an argument.

        Args:
            name: Name, or several of them. Default: None, which means that of the class.
            force: Whether to replace another class of this name.
            module: Class, or None to use the result as a decorator.
        """
        if module is None:
            return lambda cls: self._register_named(cls, name, force)
        return self._register_named(module, name, force)

    def _register_named(self, module: type, name: str | list[str] | None, force: bool) -> type:
        shown = module.__name__ if name is None else name if isinstance(name, str) else name[0]
        super().register_module(name, force, with_named_errors(module, f'{self.scope}.{shown}'))
        return module

    def get(self, key: str) -> type | None:
        """Return the registered type, or None if another scope may have it.

        Raises:
            KeyError: If ``key`` has the scope of this package, and neither it nor mmengine has such a type.
        """
        found = super().get(key)
        if found is None and key.startswith(f'{self.scope}.'):
            raise KeyError(f'{key} is not a registered {self.name}.'
                           f'{did_you_mean(key, (f"{self.scope}.{name}" for name in self.module_dict))}')
        return found


class ModelRegistry(PluginRegistry):
    """Registry that imports extensions of a host on first use, and :mod:`hrnet_plugin.plugin` with the first model."""

    def get(self, key: str) -> type | None:
        """Return the registered model.

        Raises:
            ImportError: If the model extends a host that is not installed. The message has the install command.
            KeyError: See :class:`PluginRegistry`.
        """
        import_module('hrnet_plugin.plugin')
        name = key.removeprefix(f'{self.scope}.')
        if name in _EXTENSIONS:
            host, module = _EXTENSIONS[name]
            if find_spec(host.name) is None:
                raise ImportError(f'{self.scope}.{name} needs {host.name}, which is not installed: '
                                  f'{host.install_command}')
            import_module(module)
        return super().get(key)


MODELS = ModelRegistry('model', parent=MMENGINE_MODELS, scope='hrnet_plugin', locations=['hrnet_plugin.models'])
HOOKS = PluginRegistry('hook', parent=MMENGINE_HOOKS, scope='hrnet_plugin',
                       locations=['hrnet_plugin.training.hooks', 'hrnet_plugin.evaluation.record_hook',
                                  'hrnet_plugin.data_checks.hook'])
LOOPS = PluginRegistry('loop', parent=MMENGINE_LOOPS, scope='hrnet_plugin',
                       locations=['hrnet_plugin.training.loops'])
METRICS = PluginRegistry('metric', parent=MMENGINE_METRICS, scope='hrnet_plugin',
                         locations=['hrnet_plugin.evaluation.prediction_dump'])
OPTIM_WRAPPERS = PluginRegistry('optim wrapper', parent=MMENGINE_OPTIM_WRAPPERS, scope='hrnet_plugin',
                                locations=['hrnet_plugin.training.bfloat16'])
TRANSFORMS = PluginRegistry('transform', parent=MMENGINE_TRANSFORMS, scope='hrnet_plugin',
                            locations=['hrnet_plugin.training.transforms'])
WEIGHT_INITIALIZERS = PluginRegistry('weight initializer', parent=MMENGINE_WEIGHT_INITIALIZERS, scope='hrnet_plugin',
                                     locations=['hrnet_plugin.checkpoints'])
