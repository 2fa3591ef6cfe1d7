"""Tests of RLE decoding against the COCO API, and of checks of segmentations that it misreads."""

from __future__ import annotations

import re

import numpy as np
import pytest

from hrnet_plugin.evaluation.rle import decode_counts, image_size_error, is_empty, rle_error, segmentation_error

HEIGHT, WIDTH = 48, 64
PIXELS = HEIGHT * WIDTH


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
    ('oooooooo1', 'at most six characters'), ('5P', 'must end with a complete number'),
    ('\ud800', r"characters from 0 to o, got '.ud800'"), (b'\xff', 'characters from 0 to o'),
    (b'0\x001', 'characters from 0 to o')])
def test_invalid_counts(text, words):
    with pytest.raises(ValueError, match=words):
        decode_counts(text)


def encode(runs, least=1):
    """Encode runs as compressed counts without checks, each number with at least ``least`` characters."""
    text = ''
    for i, x in enumerate(runs):
        x -= runs[i - 2] if i > 2 else 0
        digits, more = 0, True
        while more:
            code, x, digits = x & 31, x >> 5, digits + 1
            more = digits < least or x != (-1 if code & 16 else 0)
            text += chr(48 + code + 32 * more)
    return text


def rle(runs, size=(HEIGHT, WIDTH)):
    return dict(size=list(size), counts=encode(runs))


VALID = [0, 100, PIXELS - 100]
WRONG_RLES = {
    'a list': ([0, 100], "must be an RLE with 'size' and 'counts', got a list"),
    'no size': (dict(counts='0'), r"must be an RLE with 'size' and 'counts', got \['counts'\]"),
    'size zero': (rle(VALID, (0, 0)), r'must have the size of its image, \[48, 64\], got \[0, 0\]'),
    'size swapped': (rle(VALID, (WIDTH, HEIGHT)), r'size of its image, \[48, 64\], got \[64, 48\]'),
    'size of words': (rle(VALID, 'ab'), "size of its image, .* got .'a', 'b'"),
    'size of three': (rle(VALID, (HEIGHT, WIDTH, 1)), 'size of its image'),
    'size of fractions': (rle(VALID, (48.5, 64)), 'size of its image'),
    'no text': (dict(size=[HEIGHT, WIDTH], counts=[0, PIXELS]), 'counts must be compressed text, got a list'),
    'nothing': (rle([]), 'characters from 0 to o'),
    'too long': (rle([0, 4 * PIXELS]), 'add up to the 3072 pixels of the image, got 12288'),
    'far too long': (rle([0, 10**9]), 'at most six characters'),
    'too short': (rle([5, 10]), 'add up to the 3072 pixels of the image, got 15'),
    'too many runs': (rle([1] * 200000), 'counts must have at most 18444 characters for its image, got 200000'),
    'a negative run': (rle([5, -3, PIXELS - 2]), 'runs of 0 or more pixels, got -3'),
}


@pytest.mark.parametrize('name', WRONG_RLES)
def test_wrong_rles(name):
    wrong, words = WRONG_RLES[name]
    error = rle_error(wrong, HEIGHT, WIDTH)
    assert re.search(words, error), error
    assert len(error.splitlines()) == 1
    assert len(error) < 200


@pytest.mark.parametrize('counts', [encode(VALID), encode(VALID).encode(), encode(VALID, least=6)])
@pytest.mark.parametrize('size', [[48, 64], (48, 64), [np.int64(48), np.int32(64)], [48., 64.]])
def test_valid_rles(counts, size):
    assert rle_error(dict(size=size, counts=counts), HEIGHT, WIDTH) == ''


def test_size_must_not_be_bool():
    assert 'size of its image, [1, 1]' in rle_error(dict(size=[True, 1], counts=encode([0, 1])), 1, 1)


def test_numbers_of_seven_characters():
    """Refuse numbers that the 32-bit API misreads: the -15 of the last run leaves 13 pixels in place of 5."""
    mask = pytest.importorskip('pycocotools.mask')
    runs = [10, 20, 30, 5]
    six, seven = (dict(size=[5, 13], counts=encode(runs[:3]) + encode(runs, least)[-least:]) for least in (6, 7))
    assert rle_error(six, 5, 13) == ''
    assert mask.area(six) == 25
    assert 'at most six characters' in rle_error(seven, 5, 13)


def counts(*runs):
    return dict(size=[HEIGHT, WIDTH], counts=list(runs))


SQUARE = [10., 10., 30., 10., 30., 30., 10., 30.]
WRONG_SEGMENTATIONS = {
    'null': (None, 'must be polygons or an RLE, got None'),
    'text': ('abc', "must be polygons or an RLE, got 'abc'"),
    'an empty list': ([], 'must have at least one polygon'),
    'numbers alone': ([1, 2, 3, 4, 5, 6], r'must be polygons \[x1, y1, x2, y2, ...\], got 1'),
    'points': ([[[0, 0], [5, 0], [5, 5]]], 'must be polygons'),
    'words': ([['1', '2', '3', '4', '5', '6']], "must be polygons .* got .'1', '2'"),
    'true': ([[True, 0, 5, 0, 5, 5]], 'must be polygons'),
    'a box': ([[1, 2, 3, 4]], 'polygons of at least 3 points with x and y, got 4 numbers'),
    'an odd number': ([SQUARE, [*SQUARE, 1]], 'polygons of at least 2 points with x and y, got 9 numbers'),
    'a point': ([SQUARE, [1, 2]], 'polygons of at least 2 points with x and y, got 2 numbers'),
    'NaN': ([[float('nan'), 0, 5, 0, 5, 5]], 'finite coordinates near its image of 64 x 48'),
    'infinity': ([[0, 0, 5, 0, float('inf'), 5]], 'finite coordinates'),
    'hundreds of digits': ([[0, 0, 10**400, 0, 5, 5]], 'finite coordinates'),
    'far away': ([[4.2e8, 4.2e8, 4.2e8 + 9, 4.2e8, 4.2e8, 4.2e8 + 9]], 'finite coordinates'),
    'gigantic': ([[0, 0, 1e9, 0, 1e9, 1e9]], 'outlines of at most 77824 pixels, got .0, 0, 1000000000.0, 0'),
    'back and forth': ([[0, 0, 900, 900] * 50], 'outlines of at most 77824 pixels'),
    'a negative run': (counts(5, -3, PIXELS - 2), 'integers from 0 to the 3072 pixels, got -3'),
    'a fraction': (counts(.5, PIXELS - .5), 'integers from 0 to the 3072 pixels, got 0.5'),
    'a word': (counts('a'), "integers from 0 to the 3072 pixels, got 'a'"),
    'a huge run': (counts(10**30), 'integers from 0 to the 3072 pixels, got 1000'),
    'too short': (counts(0, 10), 'add up to the 3072 pixels of the image, got 10'),
    'too long': (counts(0, PIXELS, 1), 'add up to the 3072 pixels of the image, got 3073'),
    'no run': (counts(), 'add up to the 3072 pixels of the image, got 0'),
    'another size': (dict(size=[10, 10], counts=[0, PIXELS]), r'size of its image, .48, 64., got \[10, 10\]'),
    'no size': (dict(counts=[0, PIXELS]), "must be an RLE with 'size' and 'counts'"),
    'a run of 0': (counts(50, 0, 50, PIXELS - 100), 'at least 1 pixel after the first, got 0'),
    'a compressed run of 0': (rle([50, 0, 50, PIXELS - 100]), 'at least 1 pixel after the first, got 0'),
    'compressed and too long': (rle([0, 4 * PIXELS]), 'add up to the 3072 pixels of the image, got 12288'),
}


@pytest.mark.parametrize('name', WRONG_SEGMENTATIONS)
def test_wrong_segmentations(name):
    wrong, words = WRONG_SEGMENTATIONS[name]
    error = segmentation_error(wrong, HEIGHT, WIDTH)
    assert re.search(words, error), error
    assert len(error.splitlines()) == 1
    assert len(error) < 220


@pytest.mark.parametrize('segmentation', [
    [SQUARE], [SQUARE, [1, 2, 3, 4, 5, 6.5]], [[-.5, -1, 64.2, 0, 70, 50.3]], [[0, 0, 0, 0, 0, 0]], counts(0, PIXELS),
    counts(PIXELS), counts(5, PIXELS - 5, 0), counts(5., PIXELS - 5.), rle(VALID), dict(size=[48, 64], counts=b'PP3')])
def test_valid_segmentations(segmentation):
    assert segmentation_error(segmentation, HEIGHT, WIDTH) == ''


def test_the_api_misreads_runs_of_0():
    mask = pytest.importorskip('pycocotools.mask')
    zero = dict(size=[HEIGHT, WIDTH], counts=encode([10, 0, 10, 20, PIXELS - 40]))
    assert mask.iou([zero], [zero], [0]).tolist() == [[0]]


@pytest.mark.parametrize(('height', 'width', 'fits'), [
    (48, 64, True), (48., np.int64(64), True), (1, 1, True), (20000, 20000, True), (30000, 30000, False), (0, 5, False),
    (-1, -5, False), (4.5, 3, False), (float('nan'), 3, False), (float('inf'), 3, False), (True, 3, False),
    ('4', 3, False), (None, None, False), (10**400, 1, False)])
def test_image_sizes(height, width, fits):
    error = image_size_error(height, width)
    assert (error == '') == fits
    assert fits or error.startswith('height and width must be positive integers with a product below 536870912, got ')


def test_a_line_after_a_polygon_is_accepted():
    """Accept four numbers, which converters write, since the API reads only the first element as a box."""
    assert segmentation_error([SQUARE, [1, 2, 3, 4]], HEIGHT, WIDTH) == ''


@pytest.mark.parametrize(('height', 'width'), [(10**400, 2.), (2., 10**400), (2**29, 1), (0, 5), (True, 5), ('5', 5)])
def test_invalid_image_sizes(height, width):
    assert image_size_error(height, width).startswith('height and width must be positive integers')
