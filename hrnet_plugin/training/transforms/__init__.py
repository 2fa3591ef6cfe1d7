"""Data transforms of the official detection recipes that mmdet lacks."""

from hrnet_plugin.training.transforms.crop_around_box import RandomCropAroundBox
from hrnet_plugin.training.transforms.oriented_pad import OrientedPad

__all__ = ['OrientedPad', 'RandomCropAroundBox']
