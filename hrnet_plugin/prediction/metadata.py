"""Metadata in exported files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hrnet_plugin.results.dataset_meta import DatasetMeta

#: Key of the metadata in exported files.
METADATA_KEY = 'hrnet_plugin'
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Resizing:
    """Conversion of an image to the input of an exported model.

    Attributes:
        mode: 'keep_ratio' resizes to the largest size within ``size``, where the first number bounds the longer side
            and the second the shorter one. 'fixed' resizes to ``size``. 'person' crops each person by an affine
            transform to ``size``. 'none' keeps the size.
        size: Width and height in pixels, or None for 'none'.
        backend: Library that resizes, 'cv2' or 'pillow'.
        box_padding: For 'person', factor of the box size.
        use_udp: For 'person', whether the unbiased transform is used.
    """

    mode: str
    size: tuple[int, int] | None = None
    backend: str = 'cv2'
    box_padding: float = 1.25
    use_udp: bool = False


@dataclass(frozen=True, kw_only=True)
class Sliding:
    """Windows of a segmentation model that predicts crops.

    Attributes:
        crop_size: Height and width of the windows.
        stride: Vertical and horizontal stride.
    """

    crop_size: tuple[int, int]
    stride: tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class ExportMetadata:
    """Description of an exported model, stored as JSON in the file.

    The input ``images`` is float32 of shape (B, channels, H, W), in ``channel_order``, with the values of the file (0
    to 255). Normalization and padding are part of the model.

    Attributes:
        task: 'detection', 'pose', 'segmentation' or 'network'.
        model: Type of the model, e.g. 'FasterRCNN'.
        config: Name of the config.
        channels: Number of image channels.
        channel_order: 'RGB' or 'BGR', or 'file' for the order in which mmcv reads other numbers of channels.
        outputs: Names of the outputs, in order.
        resizing: Conversion of images to the input.
        meta: Names and palettes of classes and keypoints.
        mask_threshold: Minimum probability of pixels in masks, or of the only class of a segmentation model, else None.
        align_corners: Interpolation of ``logits`` to the size of the image. Segmentation only.
        sliding: Windows, or None if the model predicts whole images. Segmentation only.
        hashes: 'config', 'checkpoint' and 'weights' -> sha256.
        versions: Package -> version.
        license: License of the code that defines the model, as SPDX identifier.
    """

    task: str
    model: str
    config: str
    channels: int
    channel_order: str
    outputs: tuple[str, ...]
    resizing: Resizing
    meta: DatasetMeta = field(default_factory=DatasetMeta)
    mask_threshold: float | None = None
    align_corners: bool = False
    sliding: Sliding | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    license: str = 'Apache-2.0'
