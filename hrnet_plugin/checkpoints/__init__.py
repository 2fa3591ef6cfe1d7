"""Reading checkpoints."""

from hrnet_plugin.checkpoints.pretrained import Pretrained
from hrnet_plugin.checkpoints.safe_globals import allow_mmengine_checkpoints
from hrnet_plugin.checkpoints.scheme import SCHEME

__all__ = ['SCHEME', 'Pretrained', 'allow_mmengine_checkpoints']
