"""At which size a config's model is counted where nothing else is said."""

from __future__ import annotations

from mmengine.config import Config

from hrnet_plugin.hosts import MMDET, find_host, fixed_input_size


def tested_rois(config: Config) -> tuple[int, int]:
    """As many regions as the box and mask heads of a detector get when it is tested; 0 where it has no such heads."""
    test_cfg = config.model.get('test_cfg') or {}
    rpn, rcnn = test_cfg.get('rpn') or {}, test_cfg.get('rcnn') or {}
    return rpn.get('max_per_img', 0), rcnn.get('max_per_img', 0)


def usual_size(config: Config, detectors: tuple[int, int]) -> tuple[int, int]:
    """Height and width: ``detectors`` for those, and for other models what they are trained on.

    Raises:
        ValueError: If the config does not say what its model is trained on.
    """
    host = find_host(config.get('default_scope'))
    size = detectors if host is MMDET else host.input_size(config) if host else fixed_input_size(config)
    if size is None:
        raise ValueError('--shape H W is needed: the config has neither codec.input_size nor '
                         'model.data_preprocessor.size')
    return size
