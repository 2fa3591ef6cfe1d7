"""Ordered table of families."""

from __future__ import annotations

import dataclasses
import re

import pytest

from hrnet_plugin.checkpoints.families import FAMILIES, Family
from hrnet_plugin.checkpoints.rules import our_names, their_names

NAMES = [family.name for family in FAMILIES]


def test_fields_are_given_by_keyword_and_documented():
    with pytest.raises(TypeError, match='positional'):
        Family('mmdet 1', 'detection', 'mmdet')
    documented = re.findall(r'^ {8}(\w+):', Family.__doc__, re.MULTILINE)
    assert documented == [field.name for field in dataclasses.fields(Family)]


@pytest.mark.parametrize(('special', 'general'), [
    ('official segmentation, torch 0.4, ADE20K or COCO-Stuff', 'official segmentation, torch 0.4'),
    ('official segmentation, torch 0.4', 'official segmentation'),
    ('official segmentation, ADE20K or COCO-Stuff', 'official segmentation'),
    ('official segmentation with OCR, torch 0.4', 'official segmentation with OCR'),
    ('mmdet 1', 'mmdet 2 and 3, one-stage detector'),
    ('mmdet 1, FCOS', 'mmdet 2 and 3, one-stage detector'),
    ('mmpose 0, HRNetV2', 'mmpose 0'),
    ('mmpose 1, HRNetV2', 'mmpose 1'),
    ('mmsegmentation', 'another model with a backbone'),
    ('another model with a backbone', 'a backbone alone'),
])
def test_special_families_precede_general_ones(special, general):
    assert NAMES.index(special) < NAMES.index(general)


@pytest.mark.parametrize('family', FAMILIES, ids=NAMES)
def test_rules_round_trip(family):
    """Rename one key per template in both directions."""
    theirs = [rule.theirs.replace('#', '3').replace('*', 'weight') for rule in family.head_rules]
    ours = our_names(family.head_rules, theirs)
    assert list(ours) == theirs
    assert their_names(family.head_rules, ours.values()) == {ours[name]: name for name in theirs}


@pytest.mark.parametrize('family', FAMILIES, ids=NAMES)
def test_folded_biases_belong_to_heads_with_rules(family):
    assert their_names(family.head_rules, [name for pair in family.our_biases for name in pair]).keys() == {
        name for pair in family.our_biases for name in pair}
    assert our_names(family.head_rules, [name for pair in family.their_biases for name in pair]).keys() == {
        name for pair in family.their_biases for name in pair}
