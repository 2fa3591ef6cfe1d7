"""ImageNet weights of the named networks."""

from __future__ import annotations

from hrnet_plugin.config_types import ConfigEntry, ConfigValue

# arch -> name at open-mmlab. The other networks are timm's.
_OPEN_MMLAB = {'w18_small_v2': 'w18_small', 'w18': 'w18', 'w32': 'w32', 'w40': 'w40', 'w48': 'w48'}
_TIMM = {'w18_small_v1': 'w18_small'}

#: Normalization of the images for these weights.
IMAGES: ConfigEntry = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True)


def imagenet_weights(arch: str) -> dict[str, ConfigValue]:
    """Return ``init_cfg`` of a backbone for ImageNet weights.

    Args:
        arch: Name of the network.

    >>> imagenet_weights('w30')['checkpoint']
    'timm://hrnet_w30.ms_in1k'
    """
    name = _OPEN_MMLAB.get(arch)
    address = f'open-mmlab://msra/hrnetv2_{name}' if name else f'timm://hrnet_{_TIMM.get(arch, arch)}.ms_in1k'
    return dict(type='hrnet_plugin.Pretrained', checkpoint=address)
