"""Checkpoint families, with rules to recognize each and to convert it to the keys of this package.

Each module contains the families of one publisher.
"""

from hrnet_plugin.checkpoints.families import (
    benchmark,
    fcos,
    generic,
    mmdet,
    mmpose,
    mmpretrain,
    mmseg,
    official,
    official_segmentation,
    own,
)
from hrnet_plugin.checkpoints.families.family import BILINEAR, CORNERS, NEAREST, Family

__all__ = ['BILINEAR', 'CORNERS', 'FAMILIES', 'NEAREST', 'Family']

# A checkpoint belongs to the first family that matches. Special cases precede general ones. The last family matches
# every HRNet.
FAMILIES: tuple[Family, ...] = (
    official.CLASSIFICATION,
    own.CLASSIFIER,
    mmpretrain.CLASSIFICATION,
    official.POSE_IMAGENET,
    official_segmentation.FCN_CORNERS_TORCH04,
    official_segmentation.FCN_TORCH04,
    official_segmentation.FCN_CORNERS,
    official_segmentation.FCN,
    official_segmentation.OCR_TORCH04,
    official_segmentation.OCR,
    official.POSE,
    official.FACE,
    official.HIGHER_HRNET,
    official.DETECTION_SHARED_CONV,
    official.DETECTION,
    mmdet.V1_PLAIN_FPN,
    mmdet.V1_TWO_STAGE,
    mmdet.V1_FCOS,
    benchmark.DETECTION,
    fcos.DETECTION,
    mmdet.TWO_STAGE,
    mmdet.ONE_STAGE,
    mmpose.V0_HRNETV2,
    mmpose.V0,
    mmpose.V1_HRNETV2,
    mmpose.V1,
    mmseg.OCR,
    mmseg.FCN,
    generic.OTHER_MODEL,
    generic.BACKBONE,
)
