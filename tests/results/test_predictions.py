"""Predictions as COCO results, JSON, visualizations and files."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as masks
from pycocotools.coco import COCO

from hrnet_plugin.results.colors import color_of, text_color
from hrnet_plugin.results.dataset_meta import DatasetMeta
from hrnet_plugin.results.prediction import Prediction

SIZE = (60, 80)


def detection(image=None, name='photo.png', size=SIZE):
    """Two objects with masks, of scores 0.9 and 0.2."""
    height, width = size
    found = np.zeros((2, height, width), bool)
    found[0, height // 6:height // 2, width // 8:width // 2] = True
    found[1, -10:, -10:] = True
    boxes = [[width / 8, height / 6, width / 2, height / 2], [width - 10, height - 10, width, height]]
    return Prediction(task='detection', name=name, size=size, image=image,
                      meta=DatasetMeta(classes=('cat', 'dog'), palette=((255, 0, 0), (0, 0, 255))),
                      boxes=np.array(boxes, np.float32), scores=np.array([0.9, 0.2], np.float32),
                      labels=np.array([1, 0]), masks=found)


def pose(image=None):
    meta = DatasetMeta(keypoints=('a', 'b', 'c'), keypoint_colors=((255, 0, 0), ) * 3, skeleton=((0, 1), (1, 2)),
                       skeleton_colors=((0, 255, 0), (255, 0, 255)), sigmas=(0.1, ) * 3)
    return Prediction(task='pose', name='photo.png', size=SIZE, meta=meta, image=image,
                      boxes=np.array([[5, 5, 70, 50]], np.float32), scores=np.array([0.8], np.float32),
                      labels=np.array([0]), keypoints=np.array([[[10, 10], [60, 10], [60, 45]]], np.float32),
                      keypoint_scores=np.array([[0.9, 0.5, 0.1]], np.float32))


def segmentation(image=None):
    label_map = np.zeros(SIZE, np.int64)
    label_map[:, 40:] = 1
    label_map[:5, :5] = 255  # ignored
    return Prediction(task='segmentation', name='photo.png', size=SIZE, image=image, label_map=label_map,
                      meta=DatasetMeta(classes=('road', 'sky'), palette=((200, 0, 0), (0, 0, 200))))


def gray(size=SIZE):
    return np.full((*size, 3), 128, np.uint8)


def test_coco_results_are_read_by_the_api():
    found = detection()
    entries = found.to_coco(7, {'cat': 17, 'dog': 18})
    assert [entry['category_id'] for entry in entries] == [18, 17]
    assert entries[0]['bbox'] == [10, 10, 30, 20]
    truth = COCO()
    truth.dataset = dict(images=[dict(id=7, height=60, width=80)], categories=[dict(id=17), dict(id=18)],
                         annotations=[])
    truth.createIndex()
    loaded = truth.loadRes(json.loads(json.dumps(entries)))
    for annotation, mask in zip(loaded.dataset['annotations'], found.masks):
        np.testing.assert_array_equal(masks.decode(annotation['segmentation']).astype(bool), mask)
    with pytest.raises(KeyError, match='dog'):
        found.to_coco(7, {'cat': 17})


def test_default_categories():
    assert [entry['category_id'] for entry in detection().to_coco(1)] == [2, 1]
    coco = DatasetMeta(classes=('person', *map(str, range(78)), 'toothbrush'))
    last = Prediction(task='detection', name='', size=SIZE, meta=coco, boxes=np.zeros((2, 4), np.float32),
                      scores=np.ones(2, np.float32), labels=np.array([79, 11]))
    assert [entry['category_id'] for entry in last.to_coco(1)] == [90, 13]


def test_coco_results_of_poses():
    entry, = pose().to_coco(3)
    assert entry['category_id'] == 1
    assert len(entry['keypoints']) == 9
    assert entry['keypoints'][3:5] == [60, 10]
    assert entry['score'] == pytest.approx(0.8 * 0.7)  # the third keypoint is below 0.2
    assert pose().to_coco(3, {'person': 5})[0]['category_id'] == 5


def test_label_maps_are_one_entry_per_class():
    entries = segmentation().to_coco(3)
    assert [entry['category_id'] for entry in entries] == [1, 2, 256]
    sizes = [masks.area(dict(entry['segmentation'], counts=entry['segmentation']['counts'].encode()))
             for entry in entries]
    assert sizes == [2400 - 25, 2400, 25]


def test_json_has_all_values():
    first, second = json.loads(detection().to_json())['objects']
    assert (first['class'], first['label'], second['class']) == ('dog', 1, 'cat')
    assert first['box'] == [10, 10, 40, 30]
    assert first['score'] == pytest.approx(0.9)
    assert masks.area(dict(first['mask'], counts=first['mask']['counts'].encode())) == 600
    person, = json.loads(pose().to_json())['objects']
    assert person['keypoints'][1] == [60, 10, 0.5]
    assert person['class'] == ''
    found = json.loads(segmentation().to_json())
    assert [(each['class'], each['pixels']) for each in found['segments']] == [('road', 2375), ('sky', 2400),
                                                                               ('255', 25)]
    assert (found['name'], found['task'], found['height'], found['width']) == ('photo.png', 'segmentation', 60, 80)
    assert '\n' not in detection().to_json()


def test_values_that_are_not_finite_are_refused():
    found = detection()
    found.scores[0] = float('nan')
    with pytest.raises(ValueError, match='must have finite values'):
        found.to_json()


def test_objects_below_a_score_are_left_out():
    found = detection()
    shown = found.above(0.2)
    assert len(found) == len(shown) == 2
    assert len(found.above(0.3)) == 1
    assert len(found.above(1)) == 0
    assert found.above(0.3).masks.shape == (1, *SIZE)
    assert found.above(1).to_coco(1) == []
    assert segmentation().above(1).label_map is not None


@pytest.mark.parametrize('make', [detection, pose, segmentation])
def test_plots_change_the_image_where_something_is_predicted(make):
    image = gray()
    drawn = make(image).plot()
    assert drawn.shape == image.shape
    assert drawn.dtype == np.uint8
    assert (image == 128).all()
    changed = (drawn != image).any(2)
    assert changed.mean() > 0.05
    assert (make is segmentation or changed.mean() < 0.9)
    assert (make(image).plot(score_threshold=1) == drawn).all() == (make is segmentation)


def test_plots_have_masks_boxes_names_and_skeletons():
    drawn = detection(gray()).plot()
    assert (drawn[29, 25] == (0, 0, 255)).all()  # border of the box or mask
    assert drawn[25, 25, 2] > 128 > drawn[25, 25, 0]  # blue over gray
    assert (drawn[55, 75] == 128).all()  # score 0.2
    assert (drawn[:10] > 200).all(2).any()  # white text on blue, above the box
    lines = pose(gray()).plot()
    assert (lines[10, 35] == (0, 255, 0)).all()
    assert (lines[30, 60] == 128).all()  # the third keypoint is below the threshold
    overlay = segmentation(gray()).plot()
    assert overlay[50, 5, 0] > overlay[50, 5, 2]
    assert overlay[50, 75, 2] > overlay[50, 75, 0]
    assert (overlay[1, 1] == 128).all()


@pytest.mark.parametrize('size', [(16, 12), (1000, 3000)])
def test_plots_of_small_and_large_images(size):
    drawn = detection(gray(size), size=size).plot(score_threshold=0)
    assert drawn.shape == (*size, 3)
    assert (drawn != 128).any()
    rows = np.nonzero((drawn == 255).all(2).any(1))[0]
    if size[0] == 1000:  # text of 48 pixels, which has capitals of 30 or more
        assert len(rows) >= 30


def test_plots_read_the_file_with_its_orientation(tmp_path):
    path = tmp_path / 'photo.jpg'
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(gray((80, 60))).save(path, exif=exif)
    assert detection(name=str(path), size=(60, 80)).plot().shape == (60, 80, 3)
    assert detection(name=str(path), size=(80, 60)).plot().shape == (80, 60, 3)  # loaders may ignore it
    with pytest.raises(ValueError, match='must be the predicted image of 30 x 20 pixels, got 60 x 80'):
        detection(name=str(path), size=(20, 30)).plot()
    path.write_bytes(b'broken')
    with pytest.raises(ValueError, match='must be an image that Pillow reads'):
        detection(name=str(path)).plot()


def test_saving_writes_an_image_and_json_and_overwrites_nothing(tmp_path):
    found = detection(gray(), name='photos/first/cat.jpg')
    image, values = found.save(tmp_path / 'out')
    assert (image.name, values.name) == ('cat.jpg', 'cat.json')
    assert Image.open(image).size == (80, 60)
    assert json.loads(values.read_text())['name'] == 'photos/first/cat.jpg'
    with pytest.raises(FileExistsError, match=r'Choose another folder or stem'):
        detection(gray(), name='photos/second/cat.jpg').save(tmp_path / 'out')
    assert [path.name for path in detection(gray(), name='x/cat.tif').save(tmp_path / 'out', stem='b')] == [
        'b.png', 'b.json']
    frames = [detection(gray(), name=f'clip.mp4#00000{index}').save(tmp_path / 'frames') for index in range(2)]
    assert [path.name for path, _ in frames] == ['clip.mp4#000000.png', 'clip.mp4#000001.png']
    (tmp_path / 'file').touch()
    with pytest.raises(OSError, match='file'):
        found.save(tmp_path / 'file')
    with pytest.raises(FileNotFoundError):
        detection(name=str(tmp_path / 'gone.png')).save(tmp_path / 'none')
    assert not (tmp_path / 'none').exists()
    assert len(list((tmp_path / 'out').iterdir())) == 4


def test_text_is_readable_on_each_color():
    def luminance(color):
        linear = [(value / 255) / 12.92 if value <= 10 else ((value / 255 + 0.055) / 1.055) ** 2.4 for value in color]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    colors = [(r, g, b) for r in range(0, 256, 51) for g in range(0, 256, 51) for b in range(0, 256, 51)]
    for color in colors:
        bright, dark = sorted((luminance(color), luminance(text_color(color))), reverse=True)
        assert (bright + 0.05) / (dark + 0.05) > 4.4
    assert len({color_of((), index) for index in range(100)}) == 100
    assert color_of(((1, 2, 3), ), 0) == (1, 2, 3)
