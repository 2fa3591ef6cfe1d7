"""Networks of the paper.

This package imports torch, mmengine and ``mmcv.cnn`` (mmcv-lite suffices), but not mmdet, mmpose or mmsegmentation.
``decode_heads`` and ``segmentors`` extend mmsegmentation, and ``dense_heads`` extends mmdet. The registry imports them
when a config uses one of their types. Importing registers the classes and has no other effect.
"""

from hrnet_plugin.models.backbones import HRNet
from hrnet_plugin.models.classifiers import ClassificationHead, HRNetClassifier
from hrnet_plugin.models.losses import PixelCrossEntropy
from hrnet_plugin.models.necks import HRFPN, HRNetV2

__all__ = ['HRFPN', 'ClassificationHead', 'HRNet', 'HRNetClassifier', 'HRNetV2', 'PixelCrossEntropy']
