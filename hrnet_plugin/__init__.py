"""HRNet for mmdet, mmpose and mmsegmentation.

Configs refer to the modules as ``type='hrnet_plugin.HRNet'``. Python code imports them:

    >>> from hrnet_plugin import HRNet, HRFPN
    >>> backbone = HRNet('w32')           # HRNetV1, or the branches of HRNetV2 and HRNetV2p
    >>> neck = HRFPN(arch='w32')          # HRNetV2p, the feature pyramid for detection

Public names, imported on first use:

- ``HRNet``, ``HRFPN``, ``HRNetV2``, ``HRNetClassifier``, ``ClassificationHead``: networks of the paper.
- ``load(model, checkpoint)``: model that predicts on images, folders and videos.
- ``optimize_for_inference(model)``, ``restore_eager(model)``: turn an inference engine on or off.
- ``cfg(name)``: path of a shipped config, for ``_base_``.
- ``__version__``.
"""

from __future__ import annotations

import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from hrnet_plugin.requirements import install_command
from hrnet_plugin.version import __version__

if TYPE_CHECKING:
    from hrnet_plugin.config_files import cfg
    from hrnet_plugin.execution import optimize_for_inference, restore_eager
    from hrnet_plugin.models import HRFPN, ClassificationHead, HRNet, HRNetClassifier, HRNetV2
    from hrnet_plugin.prediction.load import load

__all__ = ['HRFPN', 'ClassificationHead', 'HRNet', 'HRNetClassifier', 'HRNetV2', '__version__', 'cfg',
           'load', 'optimize_for_inference', 'restore_eager']

_MODULES = {
    **dict.fromkeys(('HRFPN', 'ClassificationHead', 'HRNet', 'HRNetClassifier', 'HRNetV2'), 'hrnet_plugin.models'),
    **dict.fromkeys(('optimize_for_inference', 'restore_eager'), 'hrnet_plugin.execution'),
    'cfg': 'hrnet_plugin.config_files',
    'load': 'hrnet_plugin.prediction.load',
}

if find_spec('mmengine') is None:  # not a pip requirement, because there are two distributions of it
    warnings.warn(f'hrnet_plugin needs mmengine, which is not installed: {install_command("mmengine")}', RuntimeWarning,
                  stacklevel=2)


def __getattr__(name: str) -> Any:
    """Import a public name on first use. ``hrnet doctor`` must be able to import the package without mmengine."""
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
