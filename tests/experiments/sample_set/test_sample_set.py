"""The sample set: COCO format, reproducible, with annotations that agree with the pixels."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from hrnet_plugin.experiments.sample_set import write_sample_set
from hrnet_plugin.experiments.sample_set.background import STUFF
from hrnet_plugin.experiments.sample_set.coco import CATEGORY_IDS, TRAIN_IDS
from hrnet_plugin.experiments.sample_set.scene import CATEGORIES, draw_scene


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return write_sample_set(tmp_path_factory.mktemp('set') / 'sample', train=12, val=4)


def load(root, kind, split):
    return json.loads((root / 'annotations' / f'{kind}_{split}.json').read_text())


def digest(root):
    files = sorted(path for path in root.rglob('*') if path.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_the_same_arguments_give_the_same_files(root, tmp_path):
    again = write_sample_set(tmp_path / 'again', train=12, val=4)
    assert digest(root) == digest(again)
    other = write_sample_set(tmp_path / 'other', train=12, val=4, seed=1)
    assert digest(root)['train2017/000000000001.png'] != digest(other)['train2017/000000000001.png']


def test_categories_are_cocos(root):
    """Hosts derive class indices from the number, names and order of the categories."""
    categories = {category['name']: category['id'] for category in load(root, 'instances', 'val2017')['categories']}
    coco = pytest.importorskip('mmdet.datasets').CocoDataset.METAINFO['classes']
    assert tuple(categories) == coco
    assert [categories[name] for name in ('person', 'stop sign', 'clock', 'toothbrush')] == [1, 13, 85, 90]


def test_splits_differ(root):
    files = digest(root)
    assert files['train2017/000000000001.png'] != files['val2017/000000000001.png']
    ids = [{image['id'] for image in load(root, 'instances', split)['images']} for split in ('train2017', 'val2017')]
    assert not ids[0] & ids[1]


def test_all_classes_and_sizes_occur(tmp_path):
    scenes = [draw_scene(np.random.default_rng((0, i)), 320, 256) for i in range(60)]
    things = [thing for scene in scenes for thing in scene.things]
    assert {thing.category for thing in things} == set(CATEGORIES)
    areas = np.array([thing.mask.sum() for thing in things])
    shares = [(areas < 32**2).mean(), ((areas >= 32**2) & (areas < 96**2)).mean(), (areas >= 96**2).mean()]
    assert min(shares) > 0.05, shares


@pytest.mark.parametrize('split', ['train2017', 'val2017'])
def test_boxes_areas_and_polygons_agree(root, split):
    pytest.importorskip('pycocotools')
    from pycocotools.coco import COCO
    coco = COCO(str(root / 'annotations' / f'instances_{split}.json'))
    assert len(coco.imgs) == {'train2017': 12, 'val2017': 4}[split]
    for annotation in coco.anns.values():
        mask = coco.annToMask(annotation).astype(bool)
        x, y, w, h = annotation['bbox']
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        drawn = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        assert np.abs(drawn - (x, y, x + w, y + h)).max() <= 1.5
        assert mask.sum() == pytest.approx(annotation['area'], rel=0.15, abs=12)
        assert annotation['category_id'] in {CATEGORY_IDS[name] for name in CATEGORIES}


def test_semantic_maps_agree_with_instances(root):
    from pycocotools.coco import COCO
    coco = COCO(str(root / 'annotations' / 'instances_train2017.json'))
    for image in coco.imgs.values():
        semantic = cv2.imread(str(root / 'stuffthingmaps' / 'train2017' / image['file_name']), cv2.IMREAD_UNCHANGED)
        assert semantic.shape == (256, 320)
        assert semantic.dtype == np.uint8
        things = sum(annotation['area'] for annotation in coco.imgToAnns[image['id']])
        assert (semantic < 91).sum() == things
        for annotation in coco.imgToAnns[image['id']]:
            assert (semantic == annotation['category_id'] - 1).sum() >= annotation['area']
        assert set(np.unique(semantic[semantic > 90])) <= {123, 148, 153, 154, 156, 170}


def test_train_ids_are_those_of_mmsegmentation(root):
    """Pixels have the indices of mmsegmentation's 171 classes."""
    classes = pytest.importorskip('mmseg.datasets').COCOStuffDataset.METAINFO['classes']
    assert len(TRAIN_IDS) == len(classes) == 171
    assert all(classes[TRAIN_IDS[number - 1]] == name for name, number in CATEGORY_IDS.items())
    assert all(classes[TRAIN_IDS[value]] == name for name, (value, *_) in STUFF.items())
    for split in ('train2017', 'val2017'):
        folder = root / 'stuffthingmaps' / split
        files = list(folder.glob('*_labelTrainIds.png'))
        assert len(files) == len(list((root / split).iterdir()))
        for file in files:
            train_ids = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
            values = cv2.imread(str(file).replace('_labelTrainIds', ''), cv2.IMREAD_UNCHANGED)
            assert np.array_equal(train_ids, np.vectorize(TRAIN_IDS.get)(values))


def test_keypoints(root):
    instances, keypoints = (load(root, kind, 'train2017') for kind in ('instances', 'person_keypoints'))
    persons = {a['id']: a for a in instances['annotations'] if a['category_id'] == 1}
    assert {a['id'] for a in keypoints['annotations']} == set(persons)
    category, = keypoints['categories']
    assert len(category['keypoints']) == 17
    assert len(category['skeleton']) == 19
    assert not any('keypoints' in a for a in instances['annotations'])
    for person in keypoints['annotations']:
        points = np.array(person['keypoints']).reshape(17, 3)
        assert person['num_keypoints'] == (points[:, 2] > 0).sum()
        x, y, w, h = person['bbox']
        seen = points[points[:, 2] == 2]
        assert ((seen[:, 0] >= x - 1) & (seen[:, 0] <= x + w + 1)).all()
        assert ((seen[:, 1] >= y - 1) & (seen[:, 1] <= y + h + 1)).all()
        if points[5, 2] and points[6, 2]:
            assert points[5, 0] > points[6, 0]  # seen from the front: the left shoulder is on the right


def test_a_complete_set_is_not_changed(root):
    before = {path: path.stat().st_mtime_ns for path in root.rglob('*')}
    assert write_sample_set(root, train=12, val=4) == root
    assert {path: path.stat().st_mtime_ns for path in root.rglob('*')} == before


def test_nothing_is_overwritten(root, tmp_path):
    with pytest.raises(FileExistsError, match=f'got {root} with a sample set made with'):
        write_sample_set(root, train=13, val=4)
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'file').write_text('precious')
    with pytest.raises(FileExistsError, match='mine with other files'):
        write_sample_set(tmp_path / 'mine', train=1, val=1)
    assert (tmp_path / 'mine' / 'file').read_text() == 'precious'


def test_an_interrupted_set_leaves_no_files(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError('disk full')

    monkeypatch.setattr('hrnet_plugin.experiments.sample_set.generate._write_json', fail)
    with pytest.raises(OSError, match='disk full'):
        write_sample_set(tmp_path / 'sample', train=1, val=1)
    assert not list(tmp_path.iterdir())


def test_the_working_directory_is_filled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    inode = os.stat(tmp_path).st_ino
    write_sample_set('.', train=1, val=1)
    assert os.stat(tmp_path).st_ino == inode
    assert sorted(os.listdir()) == ['annotations', 'sample_set.json', 'stuffthingmaps', 'train2017', 'val2017']


def test_a_killed_process_does_not_block_its_folder(tmp_path):
    (tmp_path / '.sample.0123456789abcdef.part').mkdir()
    write_sample_set(tmp_path, train=1, val=1)
    assert (tmp_path / 'sample_set.json').is_file()


def test_a_partial_set_is_not_complete(tmp_path, monkeypatch):
    """The stamp is the last child that appears."""
    rename, moved = Path.rename, []
    monkeypatch.setattr(Path, 'rename', lambda path, target: (moved.append(target), rename(path, target)))
    write_sample_set(tmp_path, train=1, val=1)
    assert len(moved) == 5
    assert moved[-1] == tmp_path / 'sample_set.json'


@pytest.mark.parametrize(('options', 'error', 'words'), [
    (dict(train=0), ValueError, 'train must be at least 1, got 0'),
    (dict(val='4'), TypeError, "val must be an int, got '4'"),
    (dict(width=10), ValueError, 'width must be at least 64, got 10'),
    (dict(seed=-1), ValueError, 'seed must be at least 0, got -1'),
])
def test_invalid_arguments(options, error, words, tmp_path):
    with pytest.raises(error, match=words):
        write_sample_set(tmp_path / 'sample', **options)
