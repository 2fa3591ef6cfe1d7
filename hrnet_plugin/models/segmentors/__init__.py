"""What segmentation needs around its models; needs mmsegmentation."""

from hrnet_plugin.models.segmentors.left_right_tta import LeftRightTTAModel

__all__ = ['LeftRightTTAModel']
