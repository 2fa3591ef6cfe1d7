"""Rules that rename state-dict keys."""

from __future__ import annotations

from hrnet_plugin.checkpoints.rules import Rule, our_names, their_names

RULES = (Rule('fpn_conv.#.*', 'fpn_convs.#.conv.*'), Rule('fpn_conv.*', 'other.*'))


def test_the_first_rule_that_matches_is_applied():
    names = {'fpn_conv.2.weight': 'fpn_convs.2.conv.weight', 'fpn_conv.x.weight': 'other.x.weight'}
    assert our_names(RULES, names) == names
    assert their_names(RULES, names.values()) == {ours: theirs for theirs, ours in names.items()}


def test_keys_without_a_rule_are_left_out():
    assert our_names(RULES, ['head.weight', 'fpn_conv.0.bias']) == {'fpn_conv.0.bias': 'fpn_convs.0.conv.bias'}
