"""Reading checkpoints."""

from hrnet_plugin.checkpoints.pretrained import Pretrained
from hrnet_plugin.checkpoints.safe_globals import allow_mmengine_checkpoints

__all__ = ['Pretrained', 'allow_mmengine_checkpoints']
