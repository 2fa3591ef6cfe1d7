"""Resolution of HRNet arguments, and errors for contradictions."""

from __future__ import annotations

import pytest

from hrnet_plugin.arch import arch_stages
from hrnet_plugin.models.backbones.options import check_fusion, flag_or_default, resolve_arch, resolve_init_cfg
from hrnet_plugin.models.layers import FusionConfig, Upsampling


def extra(**stage4):
    stages = arch_stages('w18_small_v1')
    mapping = {f'stage{s}': stage.cfg for s, stage in enumerate(stages, 1)}
    mapping['stage4'].update(stage4)
    return mapping


def test_options_in_extra():
    stages, upsample, multiscale = resolve_arch(None, dict(extra(multiscale_output=True), upsample='bilinear'), None,
                                                None)
    assert stages == arch_stages('w18_small_v1')
    assert (upsample, multiscale) == ('bilinear', True)
    with pytest.raises(ValueError, match='must agree'):
        resolve_arch(None, extra(multiscale_output=True), None, False)


@pytest.mark.parametrize(('arch', 'mapping'), [(None, None), ('w18', {})])
def test_arch_or_extra(arch, mapping):
    with pytest.raises(ValueError, match=r'arch (and|or) extra must'):
        resolve_arch(arch, mapping, None, None)


def test_flag_or_default():
    assert flag_or_default('norm_eval', None, True) is True
    assert flag_or_default('norm_eval', False, True) is False
    with pytest.raises(TypeError, match='norm_eval'):
        flag_or_default('norm_eval', 1, True)


def test_init_cfg_is_copied():
    default = [dict(type='Kaiming')]
    resolved = resolve_init_cfg(None, None, default)
    resolved[0]['type'] = 'Normal'
    assert default == [dict(type='Kaiming')]
    assert resolve_init_cfg(None, 'file.pth', default) == dict(type='Pretrained', checkpoint='file.pth')
    with pytest.raises(ValueError, match='must not be given together'):
        resolve_init_cfg(dict(type='Kaiming'), 'file.pth', default)
    with pytest.raises(TypeError, match='pretrained'):
        resolve_init_cfg(None, 3, default)


def test_fusion_options_without_effect():
    stages = arch_stages('w32_single_stream')
    with pytest.raises(ValueError, match='single stream'):
        check_fusion('final', FusionConfig(Upsampling()), stages, True)
    with pytest.raises(ValueError, match='does no downsampling'):
        check_fusion('final', FusionConfig(Upsampling(), downsampling='bilinear'), arch_stages('w18'), False)
    check_fusion('final', FusionConfig(Upsampling()), arch_stages('w18'), False)
