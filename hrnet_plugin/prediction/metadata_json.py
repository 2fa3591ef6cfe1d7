"""Metadata of exported files as JSON, which may come from anyone."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, fields
from typing import Any, TypeVar

from hrnet_plugin.checks import (
    check_bool,
    check_choice,
    check_int,
    check_ints,
    check_number,
    check_numbers,
    check_sequence,
    check_text,
)
from hrnet_plugin.json_files import parse_object
from hrnet_plugin.prediction.metadata import FORMAT, ExportMetadata, Resizing, Sliding
from hrnet_plugin.results.dataset_meta import DatasetMeta

#: Task -> names of the outputs, without optional ones.
OUTPUTS = dict(detection=('boxes', 'scores', 'labels', 'counts'), pose=('keypoints', 'scores'),
               segmentation=('labels', 'logits'), network=())

_MAX_BYTES = 2**24
_MAX_SIZE = 2**16  # pixels
_Type = TypeVar('_Type')
_Checks = Mapping[str, Callable[[str, Any], Any]]


def metadata_to_json(metadata: ExportMetadata) -> str:
    """Return metadata as a JSON object, with the number of the format."""
    return json.dumps(dict(format=FORMAT, **asdict(metadata)), sort_keys=True)


def metadata_from_json(text: str | bytes, source: str) -> ExportMetadata:
    """Read and check metadata.

    Args:
        text: JSON of :func:`metadata_to_json`.
        source: Exported file for messages.

    Raises:
        ValueError: If the metadata are invalid, or those of a newer version. The message has one line.
    """
    if len(text) > _MAX_BYTES:
        raise ValueError(f'{source} must have metadata of at most {_MAX_BYTES} bytes, got {len(text)}')
    found = parse_object(text, source, 'a model exported by hrnet_plugin', fix='Export it again.')
    try:
        if check_int('the format of its metadata', found.pop('format', None), 1) > FORMAT:
            raise ValueError('the format of its metadata is newer. Update hrnet_plugin')
        metadata = _build('the metadata', ExportMetadata, _METADATA, found)
        _check_agreement(metadata)
    except (TypeError, ValueError) as error:
        raise ValueError(f'{source} must be a model exported by hrnet_plugin, but {error}') from None
    return metadata


def _build(name: str, kind: Callable[..., _Type], checks: _Checks, value: Any) -> _Type:
    """Return a dataclass from a JSON object with the same entries, each of which has a check."""
    if not isinstance(value, dict):
        raise TypeError(f'{name} must be an object, got {value!r:.200}')
    if others := sorted(value.keys() - checks.keys()):
        raise ValueError(f'{name} must have only known entries, got {others[0]!r:.200}')
    required = {field.name for field in fields(kind)  # type: ignore[arg-type]
                if field.default is MISSING and field.default_factory is MISSING}
    if missing := sorted(required - value.keys()):
        raise ValueError(f'{name} must have the entry {missing[0]!r}')
    return kind(**{key: checks[key](key, entry) for key, entry in value.items()})


def _check_agreement(metadata: ExportMetadata) -> None:
    """Raise ValueError unless the entries fit the task and each other."""
    expected, resizing, meta = OUTPUTS[metadata.task], metadata.resizing, metadata.meta
    expected = ('logits', ) if metadata.sliding is not None else expected
    expected += ('masks', ) if metadata.task == 'detection' and 'masks' in metadata.outputs else ()
    if metadata.task != 'network' and metadata.outputs != expected:
        raise ValueError(f'outputs must be {expected} for {metadata.task}, got {metadata.outputs!r:.200}')
    if metadata.sliding is not None and metadata.task != 'segmentation':
        raise ValueError(f'sliding must be null for {metadata.task}')
    if metadata.task == 'detection' and ('masks' in metadata.outputs) != (metadata.mask_threshold is not None):
        raise ValueError('mask_threshold must be a number if the model has masks, and null otherwise')
    if metadata.task != 'network' and (metadata.task == 'pose') != (resizing.mode == 'person'):
        raise ValueError(f"mode must be 'person' for pose estimators only, got {resizing.mode!r} for {metadata.task}")
    if (resizing.size is None) != (resizing.mode == 'none'):
        raise ValueError(f'size must be two numbers unless mode is none, got {resizing.size} for {resizing.mode!r}')
    for name, values, names in (('palette', meta.palette, meta.classes), ('sigmas', meta.sigmas, meta.keypoints),
                                ('keypoint_colors', meta.keypoint_colors, meta.keypoints),
                                ('skeleton_colors', meta.skeleton_colors, meta.skeleton)):
        if values and len(values) != len(names):
            raise ValueError(f'{name} must be empty or have {len(names)} entries, got {len(values)}')
    if any(index >= len(meta.keypoints) for pair in meta.skeleton for index in pair):
        raise ValueError(f'skeleton must have indices of the {len(meta.keypoints)} keypoints')


def _optional(check: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    return lambda name, value: None if value is None else check(name, value)


def _choice(*choices: str) -> Callable[[str, Any], str]:
    return lambda name, value: check_choice(name, value, choices)


def _ints(length: int, least: int, most: int) -> Callable[[str, Any], tuple[int, ...]]:
    return lambda name, value: check_ints(name, value, length, least, most)


def _each(check: Callable[[str, Any], Any], what: str) -> Callable[[str, Any], tuple[Any, ...]]:
    return lambda name, value: tuple(check(f'each entry of {name}', entry)
                                     for entry in check_sequence(name, value, None, what))


def _texts(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise TypeError(f'{name} must be an object, got {value!r:.200}')
    return {key: check_text(f'each entry of {name}', entry) for key, entry in value.items()}


_NAMES, _COLORS = _each(check_text, 'names'), _each(_ints(3, 0, 255), 'colors')
_META: _Checks = dict(
    classes=_NAMES, palette=_COLORS, keypoints=_NAMES, keypoint_colors=_COLORS, skeleton_colors=_COLORS,
    skeleton=_each(_ints(2, 0, _MAX_SIZE), 'pairs'), sigmas=lambda name, value: check_numbers(name, value))
_RESIZING: _Checks = dict(
    mode=_choice('keep_ratio', 'fixed', 'person', 'none'), size=_optional(_ints(2, 1, _MAX_SIZE)),
    backend=_choice('cv2', 'pillow'), box_padding=lambda name, value: check_number(name, value, 0.01, 100),
    use_udp=check_bool)
_SLIDING: _Checks = dict(crop_size=_ints(2, 1, _MAX_SIZE), stride=_ints(2, 1, _MAX_SIZE))
_METADATA: _Checks = dict(
    task=_choice(*OUTPUTS), model=check_text, config=check_text,
    channels=lambda name, value: check_int(name, value, 1, _MAX_SIZE), channel_order=_choice('RGB', 'BGR', 'file'),
    outputs=_NAMES, resizing=lambda name, value: _build(name, Resizing, _RESIZING, value),
    meta=lambda name, value: _build(name, DatasetMeta, _META, value),
    mask_threshold=_optional(lambda name, value: check_number(name, value, 0, 1)), align_corners=check_bool,
    sliding=_optional(lambda name, value: _build(name, Sliding, _SLIDING, value)), hashes=_texts, versions=_texts,
    license=check_text)
