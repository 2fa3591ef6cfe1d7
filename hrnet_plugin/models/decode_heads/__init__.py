"""Segmentation heads on the feature maps of all branches. Requires mmsegmentation."""

from hrnet_plugin.models.decode_heads.fcn import FCNHead
from hrnet_plugin.models.decode_heads.ocr import OCRHead

__all__ = ['FCNHead', 'OCRHead']
