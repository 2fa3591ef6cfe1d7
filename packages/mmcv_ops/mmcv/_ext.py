"""Operators of mmcv from mmcv_torch_ops. A compiled ``mmcv._ext`` in this folder takes precedence over this file."""

from mmcv_torch_ops import *  # noqa: F403
from mmcv_torch_ops import ORIGIN, __getattr__, __version__  # noqa: F401
