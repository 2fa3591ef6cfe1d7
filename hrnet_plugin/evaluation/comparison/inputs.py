"""Inputs of comparisons: results of tests, their kind, and the results in work directories."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hrnet_plugin.evaluation.comparison.label_maps import PICKLES
from hrnet_plugin.evaluation.detections import SHAPES

SEMANTIC = 'semantic'
# argument of compare -> options of the command, and kinds that they are for
_OPTIONS = {
    'subset': ('--subset', tuple(SHAPES)),
    'sigmas': ('--sigmas', ('keypoints', )),
    'score_threshold': ('--score-threshold', tuple(SHAPES)),
    'labels': ('--config, --classes, --reduce-zero-label, --ignore-index, --suffixes', (SEMANTIC, ))}
_FORMS = ('Compare results in COCO format, or work directories of `hrnet test ... --record`, with annotations in COCO '
          'format. Or compare folders of label maps, which tests with test_evaluator.output_dir write, with the folder '
          'of the ground-truth label maps.')
_RUN = re.compile(r'[0-9]{8}_[0-9]{6}')  # log folder of mmengine in a work directory


def is_label_maps(path: Path) -> bool:
    """Return True for a file of predictions of segmentation, and for a folder that is no work directory of a test."""
    return path.suffix in PICKLES if path.is_file() else path.is_dir() and not _runs(path)


def is_semantic(annotations: Path, paths: Sequence[Path], kind: str | None = None) -> bool:
    """Return True for a comparison of label maps, and False for results in COCO format.

    Args:
        annotations: Ground truth.
        paths: Results of the models.
        kind: Kind of the results. Default: found by their form.

    Raises:
        FileNotFoundError: If a path of results does not exist.
        ValueError: If results and annotations differ in their form.
    """
    for path in paths:
        _check_exists(path)
    forms = {is_label_maps(path) for path in paths}
    if kind is None and len(forms) > 1:
        raise ValueError(f'results must have the same form, got {" and ".join(map(str, paths))}. {_FORMS}')
    semantic = kind == SEMANTIC if kind else forms == {True}
    if annotations.is_file() if semantic else annotations.is_dir():
        wanted, got = ('a folder of label maps', 'file') if semantic else ('a file in COCO format', 'folder')
        raise ValueError(f'annotations must be {wanted} for {" and ".join(map(str, paths))}, got the {got} '
                         f'{annotations}. {_FORMS}')
    return semantic


def check_options(kind: str, **options: object) -> None:
    """Raise an error if an argument of ``compare`` is set that has no effect on a kind of results.

    Args:
        kind: Kind of the results.
        **options: Argument -> value. None if it is not set.

    Raises:
        ValueError: If such an argument is set.
    """
    for name, value in options.items():
        option, kinds = _OPTIONS[name]
        if value is not None and kind not in kinds:
            raise ValueError(f'{name} ({option}) must be set for {", ".join(kinds)} only, got results of kind {kind}. '
                             'Remove it, or choose results of another kind.')


def find_results(path: Path, kind: str | None = None) -> Path:
    """Return a results file, or that of the newest log folder of a work directory.

    Args:
        path: File, or work directory of ``hrnet test --record``.
        kind: 'bbox', 'segm' or 'keypoints'. Default: the first of them of which there are results.

    Raises:
        FileNotFoundError: If the path does not exist, or the newest log folder has no such results.
        ValueError: If the newest log folder has several such results.
    """
    _check_exists(path)
    if not path.is_dir():
        return path
    runs = _runs(path)
    if not runs:
        raise FileNotFoundError(f'{path} must be a work directory with a log folder of a test, got none. {_FORMS}')
    newest = runs[-1]
    for shape in [kind] if kind else SHAPES:
        found = sorted(newest.glob(f'results*.{shape}.json'))
        if len(found) > 1:
            raise ValueError(f'{newest} must have one results*.{shape}.json, got {len(found)}. Name the file.')
        if found:
            return found[0]
    raise FileNotFoundError(f'the newest log folder must have results*.{kind or "bbox"}.json, got none in {newest}. '
                            'Test with `hrnet test ... --record`, or name a file of results. For segmentation, name '
                            'the folder of test_evaluator.output_dir.')


def find_kind(results: Sequence[Sequence[Any]]) -> str:
    """Return the kind that the first elements of lists of results have in common.

    Keypoints come before masks, and masks before boxes, since mmpose and mmdet write boxes beside them. Empty lists are
    of any kind.

    Raises:
        ValueError: If the lists have no kind in common.
    """
    kinds = [[kind for kind, key in SHAPES.items() if isinstance(one[0], Mapping) and key in one[0]]
             for one in results if one]
    common = [kind for kind in SHAPES if all(kind in each for each in kinds)]
    if not common:
        raise ValueError('results must have boxes, masks or keypoints in common, got '
                         f'{" and ".join("/".join(each) or "none" for each in kinds)}.')
    return common[-1] if kinds else 'bbox'


def _check_exists(path: Path) -> None:
    if not path.exists():
        raise FileNotFoundError(f'results must be an existing file or work directory, got {path}')


def _runs(folder: Path) -> list[Path]:
    """Return the log folders of a work directory, the newest last."""
    return sorted(place for place in folder.iterdir() if place.is_dir() and _RUN.fullmatch(place.name))
