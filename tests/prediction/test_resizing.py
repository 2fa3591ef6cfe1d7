"""Inputs of exported models are those of the hosts' test pipelines."""

import numpy as np
import pytest
from conftest import load_benchmark
from mmdet.datasets.transforms import Resize
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine

from hrnet_plugin.prediction.cropping import crop_person
from hrnet_plugin.prediction.image_files import read_pixels
from hrnet_plugin.prediction.metadata import ExportMetadata, Resizing
from hrnet_plugin.prediction.resizing import check_image, resize_image, to_input

RNG = np.random.default_rng(0)
METADATA = ExportMetadata(task='network', model='', config='', channels=3, channel_order='RGB', outputs=(),
                          resizing=Resizing(mode='none'))


def _image(height, width, channels=3):
    return RNG.integers(0, 256, (height, width, channels), np.uint8)


@pytest.mark.parametrize('size', [(37, 53), (53, 37), (64, 64), (100, 30), (7, 95)])
@pytest.mark.parametrize('keep_ratio', [True, False])
@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
def test_resizing_is_that_of_mmdet(size, keep_ratio, backend):
    image = _image(*size)
    expected = Resize(scale=(133, 80), keep_ratio=keep_ratio, backend=backend)(dict(img=image))['img']
    mode = 'keep_ratio' if keep_ratio else 'fixed'
    np.testing.assert_array_equal(resize_image(image, Resizing(mode=mode, size=(133, 80), backend=backend)), expected)


@pytest.mark.parametrize('channels', [1, 2, 3, 4, 7])
def test_channels_remain(channels):
    image = _image(20, 30, channels)
    assert resize_image(image, Resizing(mode='fixed', size=(10, 16))).shape == (16, 10, channels)
    assert resize_image(image, Resizing(mode='none')) is image


def test_impossible_sizes_are_one_line():
    with pytest.raises(ValueError, match='got 9000x1 pixels') as raised:
        resize_image(np.zeros((1, 9000, 3), np.float64)[:, :, :0], Resizing(mode='keep_ratio', size=(2, 2)))
    assert '\n' not in str(raised.value)


@pytest.mark.parametrize('order', ['RGB', 'BGR', 'file'])
def test_channel_order(order):
    image = _image(4, 5)
    metadata = ExportMetadata(**{**vars(METADATA), 'channel_order': order})
    found = to_input(image[None], metadata)
    assert found.shape == (1, 3, 4, 5)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found[0, 0], image[..., 2 if order == 'RGB' else 0])


@pytest.mark.parametrize('use_udp', [False, True])
@pytest.mark.parametrize('size', [(48, 64), (64, 48), (32, 32)])
@pytest.mark.parametrize('box', [(10, 12, 50, 80), (-5.5, 3.25, 70.75, 20), (0, 0, 90, 75)])
def test_crops_are_those_of_mmpose(box, size, use_udp):
    image, box = _image(75, 90), np.array(box, np.float32)
    expected = TopdownAffine(size, use_udp=use_udp)(GetBBoxCenterScale(1.2)(dict(img=image, bbox=box[None])))
    crop = crop_person(image, box, Resizing(mode='person', size=size, box_padding=1.2, use_udp=use_udp))
    np.testing.assert_array_equal(crop.pixels, expected['img'])
    keypoints = RNG.uniform(0, 48, (17, 2)).astype(np.float32)
    center, scale = expected['input_center'], expected['input_scale']
    np.testing.assert_allclose(crop.to_image(keypoints), keypoints / size * scale + center - 0.5 * scale, atol=1e-5)


def test_boxes_without_area_are_refused():
    for box in ((1, 1, 1, 5), (5, 5, 1, 1), (0, 0, np.nan, 4), (0, 0, np.inf, 4)):
        with pytest.raises(ValueError, match='box must have a positive width'):
            crop_person(_image(9, 9), np.array(box, np.float32), Resizing(mode='person', size=(8, 8)))


def test_channels_of_crops():
    resizing, box = Resizing(mode='person', size=(8, 12)), np.array([1, 1, 7, 7], np.float32)
    assert crop_person(_image(9, 9, 1), box, resizing).pixels.shape == (12, 8, 1)
    with pytest.raises(ValueError, match='that OpenCV transforms, got int64'):
        crop_person(_image(9, 9).astype(np.int64), box, resizing)


def test_channels_are_checked():
    assert check_image('a.png', np.zeros((4, 5), np.uint8), 1).shape == (4, 5, 1)
    with pytest.raises(ValueError, match=r'a\.png must have 3 channels for this model, got 4'):
        check_image('a.png', np.zeros((4, 5, 4), np.uint8), 3)
    for pixels in (np.zeros((0, 5, 3), np.uint8), np.zeros(3), np.zeros((2, 2, 3), object)):
        with pytest.raises(ValueError, match=r'a\.png must be an image of shape'):
            check_image('a.png', pixels, 3)


@pytest.mark.parametrize('content', [b'', b'text', b'\x89PNG\r\n\x1a\n' + bytes(40)])
def test_damaged_images_are_refused(tmp_path, content):
    path = tmp_path / 'a.png'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'a\.png must be a complete image'):
        read_pixels(str(path), 3)


@pytest.mark.parametrize('size', [(37, 53), (64, 96), (200, 120)])
def test_pillow_interpolates_as_opencv(size):
    """The program of the guide for ONNX Runtime resizes with ``Image.transform``."""
    pillow, image = load_benchmark('pillow_resizing'), _image(101, 83)
    expected = resize_image(image, Resizing(mode='fixed', size=size)).astype(int)
    assert np.abs(pillow.transform(image, size) - expected).max() <= 1
    if size[0] < 83:
        assert np.abs(pillow.resize(image, size) - expected).max() > 10
