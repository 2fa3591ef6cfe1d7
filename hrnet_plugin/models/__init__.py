"""The network. Imports torch, mmengine and ``mmcv.cnn`` only (mmcv-lite suffices), and no host.

``decode_heads`` and ``segmentors`` extend mmsegmentation, ``dense_heads`` extends mmdet; the registry imports them when
a config names what they hold.
"""

from hrnet_plugin.checkpoints.safe_globals import allow_mmengine_checkpoints
from hrnet_plugin.models.backbones import HRNet
from hrnet_plugin.models.classifiers import ClassificationHead, HRNetClassifier
from hrnet_plugin.models.losses import PixelCrossEntropy
from hrnet_plugin.models.necks import HRFPN, HRNetV2
from hrnet_plugin.models.wiring import watch_building

__all__ = ['HRFPN', 'ClassificationHead', 'HRNet', 'HRNetClassifier', 'HRNetV2', 'PixelCrossEntropy']

# A model is built before its checkpoint is read, so this is early enough for every runner.
allow_mmengine_checkpoints()
watch_building()
