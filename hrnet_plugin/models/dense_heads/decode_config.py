"""Decoding options of the triplet head (``test_cfg``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from inspect import signature
from typing import Any

from mmcv.ops import nms, soft_nms

from hrnet_plugin.checks import check_choice, check_entry, check_int, check_mapping, check_number
from hrnet_plugin.config_types import ConfigEntry
from hrnet_plugin.models.dense_heads.central_region import CentralRegion

_NMS_TYPES = dict(nms=nms, soft_nms=soft_nms)
_SOFT_NMS = dict(type='soft_nms', iou_threshold=0.5, method='gaussian')


@dataclass(frozen=True)
class DecodeConfig:
    """Entries of ``test_cfg``. The defaults are those of the paper (arXiv 1904.08189, section 4.1).

    Args:
        corner_topk: Number of top-left and of bottom-right corners to pair.
        center_topk: Number of center keypoints.
        local_maximum_kernel: Kernel size of the heatmap NMS, odd. A keypoint must be the maximum of its class.
        distance_threshold: Maximum difference between the embeddings of a corner pair.
        max_pairs: Number of corner pairs to filter by center keypoints.
        central_region: Entries of :class:`CentralRegion`, or None to keep all pairs, as in CornerNet.
        nms: Config of ``mmcv.ops.batched_nms``, or None for no NMS. Default: soft-NMS within each class.
        max_per_img: Maximum number of detections per image.

    Raises:
        TypeError, ValueError: If an entry is invalid.
    """
    corner_topk: int = 70
    center_topk: int = 70
    local_maximum_kernel: int = 3
    distance_threshold: float = 0.5
    max_pairs: int = 1000
    central_region: CentralRegion | None = field(default_factory=CentralRegion)
    nms: ConfigEntry | None = None
    max_per_img: int = 100

    def __post_init__(self) -> None:
        for name in ('corner_topk', 'center_topk', 'local_maximum_kernel', 'max_pairs', 'max_per_img'):
            check_int(f'test_cfg.{name}', getattr(self, name), 1)
        if self.local_maximum_kernel % 2 == 0:
            raise ValueError(f'test_cfg.local_maximum_kernel must be odd, got {self.local_maximum_kernel}')
        check_number('test_cfg.distance_threshold', self.distance_threshold)
        if not self.distance_threshold > 0:
            raise ValueError(f'test_cfg.distance_threshold must be above 0, got {self.distance_threshold!r}')
        _check_nms(self.nms)

    @classmethod
    def from_cfg(cls, test_cfg: ConfigEntry | None) -> DecodeConfig:
        """Create an instance from the ``test_cfg`` of a detector. None means the defaults.

        Raises:
            TypeError, ValueError: If an entry is unknown or invalid.
        """
        check_mapping('test_cfg', test_cfg)
        entries: dict[str, Any] = dict(test_cfg or {})  # checked by the constructors
        _check_names('test_cfg', entries, cls)
        entries.setdefault('nms', _SOFT_NMS)
        region = entries.get('central_region')
        if region is not None:
            if not isinstance(region, Mapping):
                raise TypeError(f'test_cfg.central_region must be a mapping or None, got {region!r}')
            _check_names('test_cfg.central_region', region, CentralRegion)
            entries['central_region'] = CentralRegion(**region)
        return cls(**entries)


def _check_nms(config: ConfigEntry | None) -> None:
    name = check_entry('test_cfg.nms', config, optional=True)
    if config is None:
        return
    kind = check_choice('test_cfg.nms.type', name, _NMS_TYPES)
    known = {'type', 'class_agnostic', 'split_thr', *signature(_NMS_TYPES[kind]).parameters} - {'boxes', 'scores'}
    for key in config:
        if key not in known:
            raise ValueError(f'Keys of test_cfg.nms with type {kind!r} must be among {", ".join(sorted(known))}, '
                             f'got {key!r}')


def _check_names(name: str, entries: ConfigEntry, cls: type) -> None:
    known = [entry.name for entry in fields(cls)]
    for key in entries:
        if key not in known:
            raise ValueError(f'Keys of {name} of CenterTripletHead must be among {", ".join(known)}, got {key!r}')
