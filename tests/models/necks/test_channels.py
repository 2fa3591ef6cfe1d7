"""Input channels of a neck, from in_channels or arch."""

from __future__ import annotations

import pytest

from hrnet_plugin.models.necks.channels import neck_channels


def test_in_channels_and_arch():
    assert neck_channels(None, 'w32') == (32, 64, 128, 256)
    assert neck_channels([3, 5], None) == (3, 5)
    assert neck_channels([32, 64, 128, 256], 'w32') == (32, 64, 128, 256)


@pytest.mark.parametrize(('channels', 'arch', 'words'), [
    (None, None, 'got neither'), ([], None, 'at least one'), ([18, 36, 72, 144], 'w32', '_delete_=True'),
    ([0], None, 'at least 1|between 1'), (None, 'w33', 'arch must be one of')])
def test_invalid_channels(channels, arch, words):
    with pytest.raises(ValueError, match=words):
        neck_channels(channels, arch)
