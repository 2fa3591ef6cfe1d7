"""Sources of images: order, names, and errors in one line."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from hrnet_plugin.prediction.sources import open_image, open_source


def write_images(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (8, 6)).save(folder / name)


def write_video(path, count=7, rate=12):
    """Write a video whose frames are told apart by their brightness."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), rate, (64, 48))
    for index in range(count):
        writer.write(np.full((48, 64, 3), 20 + 25 * index, np.uint8))
    writer.release()
    return str(path)


def relative(source):
    return [image.relative for image in source]


def test_folders_have_a_natural_order_and_images_only(tmp_path):
    write_images(tmp_path, '10.png', '2.png', 'a1.JPG', 'sub/1.png')
    (tmp_path / 'notes.txt').touch()
    source = open_source(tmp_path)
    assert relative(source) == ['2.png', '10.png', 'a1.JPG']
    assert source.total == 3
    assert next(image.name for image in source) == str(tmp_path / '2.png')
    assert all(image.pixels is None for image in source)


def test_patterns_keep_the_folders_of_equal_names(tmp_path):
    write_images(tmp_path, 'a/x.png', 'b/x.png', 'b/c/x.png')
    assert relative(open_source(f'{tmp_path}/**/*.png')) == ['a/x.png', 'b/c/x.png', 'b/x.png']
    assert relative(open_source(f'{tmp_path}/b/*.png')) == ['x.png']
    write_images(tmp_path, '[1].png')
    assert relative(open_source(str(tmp_path / '[1].png'))) == ['[1].png']  # a file, not a pattern


def test_names_are_below_the_common_folder_of_a_pattern(tmp_path, monkeypatch):
    write_images(tmp_path, 'x.png', 'a/b/y.png', 'a/c/y.png')
    monkeypatch.chdir(tmp_path / 'a')
    assert relative(open_source('*/../../*.png')) == ['x.png'] * 2


def test_names_that_begin_with_other_names_have_an_order(tmp_path):
    write_images(tmp_path, 'a.png')
    for name in ('frame10', 'frame2', 'frame'):
        (tmp_path / 'a.png').rename(tmp_path / name)
        write_images(tmp_path, 'a.png')
    assert relative(open_source(f'{tmp_path}/frame*')) == ['frame', 'frame2', 'frame10']


def test_videos_are_read_frame_by_frame(tmp_path):
    path = write_video(tmp_path / 'clip.avi')
    source = open_source(path)
    assert source.total == 7
    assert source.video.rate == pytest.approx(12)
    for _ in range(2):  # again from the start
        frames = list(source)
        assert np.diff([frame.pixels.mean() for frame in frames]) == pytest.approx([25] * 6, abs=3)
    assert frames[3].name == f'{path}#000003'
    assert frames[3].relative == 'clip.avi#000003.jpg'


def test_names_of_videos_are_no_addresses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    writer = cv2.VideoWriter('clip.mp4', cv2.VideoWriter.fourcc(*'mp4v'), 10, (64, 48))
    for _ in range(2):
        writer.write(np.zeros((48, 64, 3), np.uint8))
    writer.release()
    (tmp_path / 'clip.mp4').rename('12:30.mp4')
    assert [image.name for image in open_source('12:30.mp4')] == ['12:30.mp4#000000', '12:30.mp4#000001']


def test_a_video_that_is_cut_off_is_logged(tmp_path, logged):
    path = tmp_path / 'clip.avi'
    write_video(path, 40)
    path.write_bytes(path.read_bytes()[:path.stat().st_size // 2])
    source = open_source(path)
    count = len(list(source))
    assert 0 < count < 40
    assert count == source.total or f'of which {count} can be read' in logged[0]


def test_arrays_and_sequences(tmp_path):
    write_images(tmp_path, 'a.png', 'b.png')
    array = np.zeros((6, 8, 3), np.uint8)
    assert open_source(array).total == 1
    source = open_source([tmp_path / 'b.png', array, Image.new('RGB', (8, 6), (255, 0, 0)), tmp_path / 'a.png'])
    images = list(source)
    assert [image.name for image in images] == [str(tmp_path / 'b.png'), 'array1', 'array2', str(tmp_path / 'a.png')]
    assert images[2].pixels[0, 0].tolist() == [0, 0, 255]
    assert open_image(np.zeros((6, 8))).pixels.shape == (6, 8, 1)


def test_bad_sources_are_errors(tmp_path):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'broken.mp4').write_bytes(b'no video')
    for source, kind, message in (
            (tmp_path / 'empty', ValueError, 'must be a folder with images'),
            (tmp_path / 'missing.png', FileNotFoundError, 'does not exist'),
            (f'{tmp_path}/*.png', ValueError, 'which matches none'),
            (tmp_path / 'broken.mp4', OSError, 'must be a video that OpenCV can read'),
            ([], ValueError, 'empty sequence'), (3, TypeError, 'got int'), ([3], TypeError, 'got int'),
            (np.zeros(3), ValueError, r'shape \(H, W, C\)'), (np.array([['a']]), ValueError, 'array of numbers')):
        with pytest.raises(kind, match=message):
            open_source(source)
