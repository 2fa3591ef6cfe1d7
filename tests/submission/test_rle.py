"""Runs of masks are those that the COCO API writes."""

from __future__ import annotations

import numpy as np
import pytest

from hrnet_plugin.submission.rle import decode_counts, is_empty, rle_error


def runs_of(pixels):
    flat = pixels.flatten('F')
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff(np.concatenate([[0], edges, [flat.size]]))
    return list(runs) if flat[0] == 0 else [0, *runs]


@pytest.mark.parametrize('seed', range(40))
def test_runs(seed):
    mask = pytest.importorskip('pycocotools.mask')
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 300, 2)
    pixels = (rng.random((height, width)) < rng.choice([0.01, 0.5, 0.99])).astype(np.uint8)
    rle = mask.encode(np.asfortranarray(pixels))
    text = rle['counts'].decode()
    assert list(decode_counts(text)) == runs_of(pixels)
    rle = dict(size=[int(height), int(width)], counts=text)
    assert rle_error(rle, height, width) == ''
    assert is_empty(rle) == (not pixels.any())


@pytest.mark.parametrize(('text', 'words'), [
    ('', 'characters from 0 to o'), ('é', 'characters from 0 to o'), ('1 2', 'characters from 0 to o'),
    ('oooooooo1', 'at most seven characters'), ('5P', 'must end with a whole number')])
def test_text_that_is_none(text, words):
    with pytest.raises(ValueError, match=words):
        decode_counts(text)
