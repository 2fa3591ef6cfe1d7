"""Segmentation heads on all streams; needs mmsegmentation."""

from hrnet_plugin.models.decode_heads.fcn import FCNHead
from hrnet_plugin.models.decode_heads.ocr import OCRHead

__all__ = ['FCNHead', 'OCRHead']
