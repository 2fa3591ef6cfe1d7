"""Reading, recognition and conversion of checkpoints."""

from hrnet_plugin.checkpoints.pretrained import Pretrained
from hrnet_plugin.checkpoints.safe_globals import allow_mmengine_checkpoints
from hrnet_plugin.checkpoints.scheme import RUN_SCHEME, SCHEME

__all__ = ['RUN_SCHEME', 'SCHEME', 'Pretrained', 'allow_mmengine_checkpoints']
