"""Steps of data pipelines that the official detection recipes need and the hosts lack."""

from hrnet_plugin.training.transforms.crop_around_box import RandomCropAroundBox
from hrnet_plugin.training.transforms.oriented_pad import OrientedPad

__all__ = ['OrientedPad', 'RandomCropAroundBox']
