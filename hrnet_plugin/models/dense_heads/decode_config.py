"""How the triplet head decodes: its ``test_cfg``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from inspect import signature
from typing import Any

from mmcv.ops import nms, soft_nms

from hrnet_plugin.checks import check_choice, check_int, check_layer_cfg
from hrnet_plugin.config_types import ConfigEntry
from hrnet_plugin.models.dense_heads.central_region import CentralRegion

_SUPPRESSIONS = dict(nms=nms, soft_nms=soft_nms)
_SOFT_NMS = dict(type='soft_nms', iou_threshold=0.5, method='gaussian')


@dataclass(frozen=True)
class DecodeConfig:
    """Entries of ``test_cfg``; the defaults are the paper's (arXiv 1904.08189, section 4.1).

    Args:
        corner_topk: How many of the best corners of each kind are paired.
        center_topk: How many of the best centres may confirm a pair.
        local_maximum_kernel: Side of the square, in cells, in which a keypoint has to be the best one of its class.
        distance_threshold: By how much the embeddings of a pair may differ.
        max_pairs: How many of the best pairs the centres may confirm.
        central_region: Entries of :class:`CentralRegion`; None for pairs that need no centre, which is CornerNet.
        nms: Non-maximum suppression within each class, as for ``mmcv.ops.batched_nms``; None for none.
        max_per_img: How many boxes an image has at most.

    Raises:
        TypeError, ValueError: If an entry is wrong.
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
        if not self.distance_threshold > 0:
            raise ValueError(f'test_cfg.distance_threshold must be above 0, got {self.distance_threshold!r}')
        _check_nms(self.nms)

    @classmethod
    def of(cls, test_cfg: ConfigEntry | None) -> DecodeConfig:
        """What a detector's ``test_cfg`` says; None for the defaults.

        Raises:
            TypeError, ValueError: If an entry is unknown or wrong.
        """
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
    check_layer_cfg('test_cfg.nms', config, optional=True)
    if config is None:
        return
    kind = check_choice('test_cfg.nms.type', config['type'], _SUPPRESSIONS)
    known = {'type', 'class_agnostic', 'split_thr', *signature(_SUPPRESSIONS[kind]).parameters} - {'boxes', 'scores'}
    for key in config:
        if key not in known:
            raise ValueError(f'test_cfg.nms of type {kind!r} takes {", ".join(sorted(known))}, got {key!r}')


def _check_names(name: str, entries: ConfigEntry, cls: type) -> None:
    known = [entry.name for entry in fields(cls)]
    for key in entries:
        if key not in known:
            raise ValueError(f'{name} of CenterTripletHead takes {", ".join(known)}, got {key!r}')
