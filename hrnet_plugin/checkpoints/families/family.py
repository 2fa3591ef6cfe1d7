"""Description of a checkpoint family, and what several families share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hrnet_plugin.checkpoints.changes import Change
from hrnet_plugin.checkpoints.rules import Rule

# notes of backbones; 'images' is the preprocessing of the training images
NEAREST = dict(upsampling='nearest', fusion_operator='sum', images='RGB', norm_eps='1e-05')
BILINEAR = dict(NEAREST, upsampling='bilinear')
CORNERS = dict(NEAREST, upsampling='bilinear, align_corners')
BGR = dict(NEAREST, images='BGR, std 1')


@dataclass(frozen=True, kw_only=True)
class Family:
    """Checkpoints that share state-dict keys, tensor layouts and facts about their training.

    'Their' keys are those of the checkpoint, without the prefix of the whole model, such as 'module.'. 'Our' keys are
    those of models that configs build with this package. They start with 'backbone.', or they are the keys of necks and
    heads in mmdet 3, mmpose 1, mmsegmentation 1 or :class:`~hrnet_plugin.models.HRNetClassifier`. Templates of keys are
    written as in :class:`~hrnet_plugin.checkpoints.rules.Rule`.

    Attributes:
        name: Unique name for messages.
        task: Task that the model was trained for.
        host: Package whose models have our keys: 'mmdet', 'mmpose', 'mmseg' or 'hrnet_plugin'; '' for any.
        layouts: Values of ``convert --to`` that write this family; empty if none does.
        body_prefix: Prefix of the backbone's keys, '' or ending in '.'.
        markers: Templates that must each match a key outside the backbone.
        absent: Templates that must match no key.
        classes: Key -> allowed sizes of its first dimension, where only the number of classes tells families apart.
        head_rules: Rules from their keys of necks and heads to ours. The first rule that matches is applied.
        body_changes: Changes of the backbone's values. Their templates do not include ``body_prefix``.
        head_changes: Changes of the values of necks and heads.
        their_biases: Pairs of their keys, a bias and the running mean after it. Our layers have no such bias.
        our_biases: Pairs of our keys, a bias and the running mean after it. Their layers have no such bias.
        leftovers: Templates of keys that belong to no layer, such as losses and anchors.
        notes: Facts about the backbone, such as its upsampling.
        head_notes: Our name of a head -> facts about it.
    """

    name: str
    task: str
    host: str
    layouts: tuple[str, ...] = ()
    body_prefix: str = ''
    markers: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    classes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    head_rules: tuple[Rule, ...] = ()
    body_changes: tuple[Change, ...] = ()
    head_changes: tuple[Change, ...] = ()
    their_biases: tuple[tuple[str, str], ...] = ()
    our_biases: tuple[tuple[str, str], ...] = ()
    leftovers: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)
    head_notes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def rules(*pairs: tuple[str, str]) -> tuple[Rule, ...]:
    """Return a rule for each pair of templates, theirs and ours."""
    return tuple(Rule(theirs, ours) for theirs, ours in pairs)


# of families whose necks and heads already have our keys
SAME_KEYS = rules(('*', '*'))


def conv_norm_conv(theirs: str, *, conv: str, norm: str, last: str) -> tuple[Rule, ...]:
    """Return rules for a sequence of convolution, norm, ReLU and convolution.

    Args:
        theirs: Their prefix of the sequence, without the final '.'.
        conv: Our prefix of the first convolution, without the final '.'.
        norm: Our prefix of the norm.
        last: Our prefix of the last convolution.
    """
    return rules((f'{theirs}.0.*', f'{conv}.*'), (f'{theirs}.1.*', f'{norm}.*'), (f'{theirs}.3.*', f'{last}.*'))
