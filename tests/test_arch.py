import pytest
from conftest import upstream_extra

from hrnet_plugin.arch import ARCHS, arch_channels, arch_stages


@pytest.mark.parametrize('arch', ARCHS)
def test_an_upstream_mapping_equals_the_named_network(arch):
    assert arch_stages(upstream_extra(arch)) == ARCHS[arch]


def test_channels_of_the_outputs():
    assert arch_channels('w18') == (18, 36, 72, 144)
    assert arch_channels('w18_small_v1') == (16, 32, 64, 128)


def test_bottleneck_outputs_have_four_times_the_channels():
    extra = upstream_extra('w18_small_v1')
    extra['stage4'] = dict(extra['stage4'], block='BOTTLENECK')
    assert arch_channels(extra) == (64, 128, 256, 512)


def test_fuse_method_sum_is_accepted():
    extra = upstream_extra('w18')
    extra['stage2']['fuse_method'] = 'SUM'
    assert arch_stages(extra) == ARCHS['w18']


def _changed(stage, **changes):
    extra = upstream_extra('w18')
    extra[stage] = {**extra[stage], **changes}
    return extra


@pytest.mark.parametrize(('arch', 'error', 'words'), [
    ('w17', ValueError, "arch must be one of .*got 'w17'"),
    (18, TypeError, 'arch must be a name or a mapping.*18'),
    ({}, ValueError, 'missing: stage1, stage2, stage3, stage4'),
    ({s: upstream_extra('w18')[s] for s in ('stage1', 'stage2', 'stage4')}, ValueError, 'missing: stage3'),
    (dict(upstream_extra('w18'), stage5={}), ValueError, "key of arch must be one of .*got 'stage5'"),
    (dict(upstream_extra('w18'), stage2=[1]), TypeError, r"arch\['stage2'\] must be a mapping"),
    (_changed('stage1', num_branches=2), ValueError, r"arch\['stage1'\]\['num_branches'\] must be between 1 and 1.*2"),
    (_changed('stage2', num_branches=3), ValueError, r"arch\['stage2'\]\['num_blocks'\] must have 3 entries, got 2"),
    (_changed('stage3', num_branches=1), ValueError, r"\['num_branches'\] must be between 2 and 4, got 1"),
    (_changed('stage4', num_branches=5), ValueError, r"\['num_branches'\] must be between 3 and 4, got 5"),
    (_changed('stage4', num_branches='4'), TypeError, r"\['num_branches'\] must be an int, got '4'"),
    (_changed('stage3', num_blocks=(4, 4)), ValueError, r"arch\['stage3'\]\['num_blocks'\] must have 3 entries.*2"),
    (_changed('stage4', num_channels=(18, 36)), ValueError, r"\['num_channels'\] must have 4 entries, got 2"),
    (_changed('stage4', num_channels=(18, 36, 72, 0)), ValueError, r"channels'\] must be between 1 and 1048576, got 0"),
    (_changed('stage4', num_channels=18), TypeError, r"\['num_channels'\] must be a sequence of ints, got 18"),
    (_changed('stage4', num_blocks=(4, 4, 4, '4')), TypeError, r"num_blocks'\] must be an int, got '4'"),
    (_changed('stage2', block='Basic'), ValueError, "must be one of 'BASIC', 'BOTTLENECK', got 'Basic'"),
    (_changed('stage2', num_modules=0), ValueError, r"\['num_modules'\] must be between 1 and 100, got 0"),
    (_changed('stage2', num_modules=2**63), ValueError, r"\['num_modules'\] must be between 1 and 100, got 9223"),
    (_changed('stage2', num_blocks=(4, 10**9)), ValueError, r"\['num_blocks'\] must be between 1 and 100, got 1000000"),
    (_changed('stage2', num_channels=(18, 2**63)), ValueError, r"num_channels'\] must be between 1 and 1048576"),
    (_changed('stage2', multiscale_output=False), ValueError, "key of .* got 'multiscale_output'"),
    (dict(upstream_extra('w18'), stem_inplanes=32), ValueError, "key of arch must be one of .*got 'stem_inplanes'"),
    (_changed('stage2', num_module=1), ValueError, "key of .* got 'num_module'"),
    (_changed('stage2', fuse_method='CAT'), ValueError, "fuse_method'\\] must be one of .*got 'CAT'"),
])
def test_bad_archs(arch, error, words):
    with pytest.raises(error, match=words):
        arch_stages(arch)


def test_a_missing_key_is_named():
    extra = upstream_extra('w18')
    del extra['stage2']['num_blocks']
    with pytest.raises(ValueError, match=r"arch\['stage2'\] must have the key 'num_blocks'"):
        arch_stages(extra)
