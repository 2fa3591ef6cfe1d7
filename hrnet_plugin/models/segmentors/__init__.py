"""Segmentors with test-time augmentation. Requires mmsegmentation."""

from hrnet_plugin.models.segmentors.left_right_tta import LeftRightTTAModel

__all__ = ['LeftRightTTAModel']
