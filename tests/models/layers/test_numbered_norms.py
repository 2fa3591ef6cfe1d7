"""Access to norm layers by number."""

from __future__ import annotations

import pytest

from hrnet_plugin.models.layers import LayerConfig
from hrnet_plugin.models.layers.numbered_norms import NumberedNorms


@pytest.mark.parametrize(('norm_cfg', 'prefix'), [(dict(type='BN'), 'bn'), (dict(type='GN', num_groups=1), 'gn')])
def test_names(norm_cfg, prefix):
    module = NumberedNorms()
    for number in (1, 2):
        module.add_norm(number, 4, LayerConfig(norm_cfg=norm_cfg))
    assert [name for name, _ in module.named_children()] == [f'{prefix}1', f'{prefix}2']
    assert module.norm2 is getattr(module, f'{prefix}2')
    assert not hasattr(module, 'norm3')
    replaced = type(module.norm1)(*([1, 4] if prefix == 'gn' else [4]))
    setattr(module, f'{prefix}1', replaced)
    assert module.norm1 is replaced
