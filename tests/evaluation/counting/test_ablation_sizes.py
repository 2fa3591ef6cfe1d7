"""Tests of parameters and GFLOPs of the ablation configs, compared with the default of the paper."""

from __future__ import annotations

from functools import cache

import pytest

from hrnet_plugin.config_files import cfg, read_config
from hrnet_plugin.evaluation.counting import paper_count

# the paper's parameters and GFLOPs of the default (tables 1 and 3)
TABLES = {
    'mmpose': ('td-hm_hrnetv1-w32{}_scratch-210e_coco-256x192', (256, 192), (28.5, 7.10)),
    'mmseg': ('fcn_hrnetv2-w48{}_scratch-120k_cityscapes', (1024, 2048), (65.9, 696.2)),
}
MATCHED = 3  # percent by which variants at matched cost may differ


@cache
def size(host, variant):
    pytest.importorskip(host)
    name, shape, _ = TABLES[host]
    parameters, operations, _ = paper_count(read_config(cfg(name.format(variant))), shape)
    return parameters, operations


def percent_above(value, other):
    return 100 * (value / other - 1)


@pytest.mark.parametrize('host', TABLES)
class TestSizes:

    def test_the_default_equals_the_paper(self, host):
        for ours, theirs in zip(size(host, ''), TABLES[host][2]):
            assert abs(percent_above(ours, theirs)) < 0.4

    def test_equal_depth_is_at_matched_cost(self, host):
        for ours, default, paper in zip(size(host, '-equal-depth'), size(host, ''), TABLES[host][2]):
            assert abs(percent_above(ours, default)) < MATCHED
            assert abs(percent_above(ours, paper)) < MATCHED

    def test_a_single_stream_has_equal_operations_and_a_twelfth_of_the_parameters(self, host):
        (parameters, operations), default = size(host, '-single-stream'), size(host, '')
        assert abs(percent_above(operations, default[1])) < 5
        assert 11 < default[0] / parameters < 13

    def test_fewer_fusions_cost_less(self, host):
        final, across, default = (size(host, variant) for variant in ('-final-fusion', '-across-stage-fusion', ''))
        assert final[0] < across[0] < default[0]
        assert final[1] < across[1] < default[1]
        # branches take most of the cost
        assert final[0] > 0.9 * default[0]
        assert final[1] > 0.9 * default[1]

    def test_a_product_costs_the_same_as_a_sum(self, host):
        assert size(host, '-product') == size(host, '')
