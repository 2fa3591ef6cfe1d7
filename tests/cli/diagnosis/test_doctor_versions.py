"""Versions, and the ranges in the sources of hosts."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest

from hrnet_plugin.cli.diagnosis.versions import Range, parse_version, read_ranges

ORDERED = ['0.10.7', '1.0.0a1', '1.0.0b2', '1.0.0rc1', '1.0.0rc10', '1.0', '2.0.0rc4', '2.0.0', '2.1.0+cpu', '2.2.0']


def test_versions_are_ordered():
    values = [parse_version(version) for version in ORDERED]
    assert all(first < second for first, second in pairwise(values))
    assert parse_version('2.1') == parse_version('2.1.0+cu118') == parse_version('v2.1.0.0')


def test_text_without_a_version_is_refused():
    with pytest.raises(ValueError, match=r"text must be a version such as '2.1.0', got 'unknown'"):
        parse_version('unknown')


def test_the_ends_of_a_range():
    half_open, closed = Range('mmcv', '2.0.0rc4', '2.2.0'), Range('mmcv', '2.0.0rc4', '3.0.0', True)
    assert [half_open.contains(version) for version in ('2.0.0rc3', '2.0.0rc4', '2.1.0', '2.2.0rc1', '2.2.0')] == [
        False, True, True, True, False]
    assert [closed.contains(version) for version in ('3.0.0', '3.0.1')] == [True, False]
    assert (str(half_open), closed.bounds) == ('mmcv>=2.0.0rc4,<2.2.0', '>=2.0.0rc4,<=3.0.0')


@pytest.mark.parametrize(('host', 'expected'), [
    ('mmdet', ['mmcv>=2.0.0rc4,<2.2.0', 'mmengine>=0.7.1,<1.0.0']),
    ('mmpose', ['mmcv>=2.0.0rc4,<=3.0.0', 'mmengine>=0.6.0,<=1.0.0']),
    ('mmseg', ['mmcv>=2.0.0rc4,<2.2.0', 'mmengine>=0.5.0,<1.0.0']),
    ('mmpretrain', ['mmcv>=2.0.0,<2.4.0', 'mmengine>=0.8.3,<1.0.0'])])
def test_the_ranges_of_the_installed_hosts(host, expected):
    spec = find_spec(host)
    if spec is None:
        pytest.skip(f'{host} is not installed')
    assert list(map(str, read_ranges(Path(spec.origin).read_text(encoding='utf-8')))) == expected


def test_a_source_without_an_assert_has_no_range():
    assert read_ranges("mmcv_minimum_version = '2.0.0'\nmmcv_maximum_version = other\n") == ()
