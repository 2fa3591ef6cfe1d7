"""Tests of the scan of images, on small generated files."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from hrnet_plugin.data_checks.images import AnnotatedImage, ImageLoader, scan_images

Image = pytest.importorskip('PIL.Image')

PIXELS = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)


@pytest.fixture
def images(tmp_path):
    """Return six RGB images of 64 x 48 pixels, JPEG and PNG."""
    found = []
    for number in range(6):
        path = tmp_path / f'größe {number}.{"jpg" if number % 2 else "png"}'
        Image.fromarray(PIXELS).save(path)
        found.append(AnnotatedImage(path=path, height=48, width=64))
    return found


def only(report):
    """Return the only finding of a report."""
    assert len(report.findings) == 1, [finding.message for finding in report.findings]
    return report.findings[0]


def loaded(images, **options):
    """Return the images with options of their loader."""
    return [replace(image, loader=ImageLoader(**options)) for image in images]


def rotate(path, orientation=6):
    """Set the EXIF orientation of an image."""
    image = Image.open(path)
    exif = image.getexif()
    exif[274] = orientation
    image.save(path, exif=exif)


def test_valid(images):
    report = scan_images(images)
    assert report.findings == ()
    assert (report.sampled, report.total, report.sizes) == (6, 6, ((48, 64), (48, 64)))


def test_unknown_sizes(images):
    assert scan_images([AnnotatedImage(path=image.path, height=None, width=None) for image in images]).findings == ()


def test_sizes(images):
    Image.fromarray(PIXELS[:20, :30]).save(images[0].path)
    Image.fromarray(np.tile(PIXELS, (2, 2, 1))).save(images[1].path)
    assert scan_images(images).sizes == ((20, 30), (96, 128))


def test_no_images():
    report = scan_images([])
    assert (report.sampled, report.total, report.sizes, report.findings) == (0, 0, ((0, 0), (0, 0)), ())


@pytest.mark.parametrize(('most', 'expected'), [(1, [0]), (2, [0, 5]), (3, [0, 2, 5]), (6, range(6)), (99, range(6))])
def test_sample(images, most, expected):
    for number, image in enumerate(images):
        Image.fromarray(PIXELS[:10 + number, :10]).save(image.path)
    report = scan_images([AnnotatedImage(path=image.path, height=1, width=1) for image in images], most=most)
    assert report.sampled == len(expected)
    assert report.total == 6
    assert report.sizes == ((10, 10), (10 + max(expected), 10))


def test_missing(images):
    images[2].path.unlink()
    images[3].path.unlink()
    finding = only(scan_images(images))
    assert finding.is_error
    assert '2 of 6 sampled images do not exist' in finding.message
    assert str(images[2].path) in finding.message
    assert 'data_prefix' in finding.message


@pytest.mark.parametrize('number', [0, 1])
@pytest.mark.parametrize('keep', [0, .5, .95])
def test_truncated(images, number, keep):
    content = images[number].path.read_bytes()
    images[number].path.write_bytes(content[:int(keep * len(content))])
    finding = only(scan_images(images))
    assert finding.is_error
    assert '1 of 6 sampled images are unreadable or truncated' in finding.message
    assert str(images[number].path) in finding.message


@pytest.mark.parametrize('content', [b'<html>not found</html>', b'\x89PNG\r\n\x1a\n'])
def test_unreadable(images, content):
    images[0].path.write_bytes(content)
    assert 'unreadable' in only(scan_images(images)).message


def test_folder(images, tmp_path):
    assert 'unreadable' in only(scan_images([AnnotatedImage(path=tmp_path, height=1, width=1)])).message


def test_formats_of_opencv_alone(images, tmp_path):
    """OpenCV reads HDR images, PIL does not."""
    path = tmp_path / 'image.hdr'
    cv2.imwrite(str(path), PIXELS.astype(np.float32))
    report = scan_images([AnnotatedImage(path=path, height=48, width=64)])
    assert report.sizes == ((48, 64), (48, 64))
    assert 'more than 8 bits' in only(report).message


def test_size_differs(images):
    changed = [*images[:-1], AnnotatedImage(path=images[-1].path, height=96, width=128)]
    finding = only(scan_images(changed))
    assert finding.is_error
    assert 'have another size than the annotated one' in finding.message
    assert '64 x 48 instead of 128 x 96' in finding.message


def test_orientation_that_annotations_ignore(images):
    rotate(images[1].path)
    finding = only(scan_images(images))
    assert finding.is_error
    assert 'annotated without their EXIF orientation' in finding.message
    assert 'color_ignore_orientation' in finding.message
    assert scan_images([images[1]]).sizes[0] == (64, 48)


def test_orientation_that_loading_ignores(images):
    """With color_type='color_ignore_orientation', the size of the stored pixels is right."""
    rotate(images[1].path)
    kept = dict(color_type='color_ignore_orientation')
    assert not only(scan_images(loaded(images, **kept))).is_error
    assert not only(scan_images(loaded(images, backend='turbojpeg'))).is_error
    turned = AnnotatedImage(path=images[1].path, height=64, width=48)
    assert not only(scan_images([turned])).is_error
    assert only(scan_images(loaded([turned], **kept))).is_error
    first, second = scan_images([turned, *loaded([turned], **kept)]).findings
    assert [first.is_error, second.is_error] == [True, False]  # each with its own loader


def test_orientation_that_keeps_the_size(images):
    rotate(images[1].path, 3)
    finding = only(scan_images(images))
    assert not finding.is_error
    assert 'have an EXIF orientation' in finding.message


def test_orientation_agrees_with_mmcv(images):
    """The size is that of mmcv, whatever formats the installed OpenCV rotates."""
    mmcv = pytest.importorskip('mmcv')
    for image in images[:2]:
        rotate(image.path)
        expected = mmcv.imread(str(image.path)).shape[:2]
        assert scan_images([image]).sizes[0] == expected
        expected = mmcv.imread(str(image.path), flag='unchanged').shape[:2]
        assert scan_images(loaded([image], color_type='unchanged')).sizes[0] == expected


@pytest.mark.parametrize(('mode', 'name'), [('L', 'gray'), ('RGBA', 'RGB with alpha'), ('P', 'palette'), ('1', 'gray'),
                                            ('LA', 'gray with alpha')])
def test_mixed_channels(images, mode, name):
    Image.fromarray(PIXELS).convert(mode).save(images[0].path)
    finding = only(scan_images(loaded(images, color_type='unchanged')))
    assert not finding.is_error
    assert f'are {name}, unlike the others: ' in finding.message
    assert '5 RGB' in finding.message
    assert "color_type='color'" in finding.message
    assert scan_images(images).findings == ()  # loading converts all
    assert scan_images(loaded(images, color_type='grayscale')).findings == ()


def test_bit_depth(images):
    for image in images[::2]:
        cv2.imencode('.png', PIXELS[..., 0].astype(np.uint16) * 200)[1].tofile(image.path)
    deep = only(scan_images(images[::2]))
    assert not deep.is_error
    assert '3 of 3 sampled images have more than 8 bits per channel' in deep.message
    assert "color_type='unchanged'" in deep.message
    assert scan_images(loaded(images[::2], color_type='unchanged')).findings == ()


def test_chunks_beyond_the_end_of_png_files(images):
    """OpenCV allocates the length that a chunk claims, here 620 MB. PIL does not identify the file."""
    content = images[0].path.read_bytes()
    images[0].path.write_bytes(content[:33] + bytes.fromhex('25000000') + b'\xff' + content[33:])
    message = only(scan_images(images)).message
    assert '1 of 6 sampled images are unreadable or truncated' in message
    assert 'a PNG chunk has 620756992 bytes, but the file ends after' in message
