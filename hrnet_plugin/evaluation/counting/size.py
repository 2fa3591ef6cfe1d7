"""Default input size and numbers of RoIs for counting a model."""

from __future__ import annotations

from mmengine.config import Config

from hrnet_plugin.hosts import MMDET, find_host, fixed_input_size


def tested_rois(config: Config) -> tuple[int, int]:
    """Return the numbers of RoIs that box and mask heads process per image at test time, or 0 without RoI heads."""
    test_cfg = config.model.get('test_cfg') or {}
    rpn, rcnn = test_cfg.get('rpn') or {}, test_cfg.get('rcnn') or {}
    return rpn.get('max_per_img', 0), rcnn.get('max_per_img', 0)


def default_input_size(config: Config, detectors: tuple[int, int]) -> tuple[int, int]:
    """Return the image height and width at which a model is counted by default.

    Args:
        config: Config of any host, or of none.
        detectors: Size for detectors. Other models are counted at their training size.

    Raises:
        ValueError: If the config does not specify the training size.
    """
    host = find_host(config.get('default_scope'))
    size = detectors if host is MMDET else host.input_size(config) if host else fixed_input_size(config)
    if size is None:
        raise ValueError('--shape H W must be given: the config has neither codec.input_size nor '
                         'model.data_preprocessor.size')
    return size
