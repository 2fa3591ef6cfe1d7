"""Derivation of configs that put HRNet into the configs of a host.

:func:`derive` reads a config of a host, replaces its backbone, and its neck where it must, and builds the model. The
result is a short config that inherits the one of the host.
"""

from hrnet_plugin.derivation.derive import derive
from hrnet_plugin.derivation.derived import Derived

__all__ = ['Derived', 'derive']
