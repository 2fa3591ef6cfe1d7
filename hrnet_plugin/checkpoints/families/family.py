"""Description of a checkpoint family, and helpers for several families."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hrnet_plugin.checkpoints.changes import Change
from hrnet_plugin.checkpoints.rules import Rule

# metadata of backbones; 'images' is the channel order of the training images, and their std if it is 1
NEAREST = dict(upsampling='nearest', fusion_operator='sum', images='RGB', norm_eps='1e-05')
BILINEAR = dict(NEAREST, upsampling='bilinear')
CORNERS = dict(NEAREST, upsampling='bilinear, align_corners')
BGR = dict(NEAREST, images='BGR, std 1')


@dataclass(frozen=True, kw_only=True)
class Family:
    """Checkpoints that share state-dict keys, tensor layouts and training settings.

    'Their' keys are those of the checkpoint, without the prefix of the whole model, such as 'module.'. 'Our' keys are
    those of models that configs build with this package. They start with 'backbone.', or they are the keys of necks and
    heads in mmdet 3, mmpose 1, mmsegmentation 1 or :class:`~hrnet_plugin.models.HRNetClassifier`. Templates of keys are
    written as in :class:`~hrnet_plugin.checkpoints.rules.Rule`.

    Attributes:
        name: Unique name for messages.
        task: Task that the model was trained for.
        host: Package whose models have our keys: 'mmdet', 'mmpose', 'mmseg' or 'hrnet_plugin'; '' for any.
        layouts: Values of ``convert --to`` that write this family; empty if none does.
        backbone_prefix: Prefix of the backbone's keys, '' or ending in '.'.
        markers: Templates that must each match a key outside the backbone.
        absent: Templates that must match no key.
        classes: Key -> allowed sizes of its first dimension, for families that differ in the number of classes only.
        head_rules: Rules from their keys of necks and heads to ours. The first rule that matches is applied.
        backbone_changes: Changes of the backbone's values. Their templates do not include ``backbone_prefix``.
        head_changes: Changes of the values of necks and heads.
        their_biases: (bias, following running mean) with their keys. Our layers lack these biases.
        our_biases: (bias, following running mean) with our keys. Their layers lack these biases.
        leftovers: Templates of keys that belong to no layer, e.g. of losses and anchors.
        metadata: Metadata of the backbone, e.g. its upsampling.
        head_metadata: Our name of a head -> its metadata.
    """

    name: str
    task: str
    host: str
    layouts: tuple[str, ...] = ()
    backbone_prefix: str = ''
    markers: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    classes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    head_rules: tuple[Rule, ...] = ()
    backbone_changes: tuple[Change, ...] = ()
    head_changes: tuple[Change, ...] = ()
    their_biases: tuple[tuple[str, str], ...] = ()
    our_biases: tuple[tuple[str, str], ...] = ()
    leftovers: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    head_metadata: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def rules(*pairs: tuple[str, str]) -> tuple[Rule, ...]:
    """Return a rule per pair of templates (theirs, ours)."""
    return tuple(Rule(theirs, ours) for theirs, ours in pairs)


# for families whose necks and heads already have our keys
SAME_KEYS = rules(('*', '*'))


def conv_norm_conv(theirs: str, *, conv: str, norm: str, last: str) -> tuple[Rule, ...]:
    """Return rules for a sequence of convolution, norm, ReLU and convolution.

    Args:
        theirs: Prefix of the sequence in their keys, without the final '.'.
        conv: Prefix of the first convolution in our keys, without the final '.'.
        norm: Prefix of the norm in our keys.
        last: Prefix of the last convolution in our keys.
    """
    return rules((f'{theirs}.0.*', f'{conv}.*'), (f'{theirs}.1.*', f'{norm}.*'), (f'{theirs}.3.*', f'{last}.*'))
