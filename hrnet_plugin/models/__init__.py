"""Networks of the paper. Imports torch, mmengine and ``mmcv.cnn`` only (mmcv-lite suffices), and no host.

``decode_heads`` and ``segmentors`` extend mmsegmentation, ``dense_heads`` extends mmdet. The registry imports them when
a config names what they define. Importing registers the classes and has no other effect.
"""

from hrnet_plugin.models.backbones import HRNet
from hrnet_plugin.models.classifiers import ClassificationHead, HRNetClassifier
from hrnet_plugin.models.losses import PixelCrossEntropy
from hrnet_plugin.models.necks import HRFPN, HRNetV2

__all__ = ['HRFPN', 'ClassificationHead', 'HRNet', 'HRNetClassifier', 'HRNetV2', 'PixelCrossEntropy']
