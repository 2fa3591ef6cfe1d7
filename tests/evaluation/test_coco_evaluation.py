"""Tests that metrics equal those of the COCO API without rounding."""

from __future__ import annotations

import contextlib
import io
import json

import numpy as np
import pytest

from hrnet_plugin.evaluation.leaderboard.store import ResultStore

pytest.importorskip('pycocotools')
from paths import SHARED
from pycocotools import mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from hrnet_plugin.evaluation.coco_evaluation import evaluate_detections

# COCO's example of an evaluation, if the checkout has it
FIXTURES = SHARED / 'data' / 'coco_eval_fixtures'
NAMES = ('AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl')


@pytest.fixture
def truth(tmp_path):
    """Write annotations of six images with two of three classes and no small objects."""
    rng = np.random.default_rng(0)
    boxes = [(image, k, [*rng.uniform(0, 100, 2), *rng.uniform(33, 150, 2)])
             for image in range(1, 7) for k in (1, 1, 5)]
    path = tmp_path / 'truth.json'
    path.write_text(json.dumps(dict(
        images=[dict(id=image, width=300, height=300) for image in range(1, 7)],
        categories=[dict(id=k, name=name) for k, name in ((1, 'cat'), (5, 'dog'), (9, 'emu'))],
        annotations=[dict(id=n, image_id=image, category_id=k, bbox=box, area=box[2] * box[3], iscrowd=0,
                          segmentation=[[box[0], box[1], box[0] + box[2], box[1], box[0] + box[2], box[1] + box[3]]])
                     for n, (image, k, box) in enumerate(boxes, 1)])))
    return path


@pytest.fixture
def detections(truth):
    rng = np.random.default_rng(1)
    found = json.loads(truth.read_text())['annotations']
    return [dict(image_id=a['image_id'], category_id=a['category_id'], score=float(rng.uniform()),
                 bbox=[float(x) for x in np.array(a['bbox']) + rng.normal(0, 8, 4)]) for a in found for _ in range(2)]


def evaluate_with_api(truth, detections, kind):
    with contextlib.redirect_stdout(io.StringIO()):
        api = COCO(str(truth))
        evaluation = COCOeval(api, api.loadRes(detections), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def test_metrics_equal_the_api(truth, detections, capsys):
    theirs = evaluate_with_api(truth, detections, 'bbox')
    ours = evaluate_detections(truth, detections)
    assert capsys.readouterr().out == ''
    assert ours.metrics == {name: None if value < 0 else value for name, value in zip(NAMES, theirs.stats)}
    assert ours.metrics['APs'] is None
    assert 0.1 < ours.metrics['AP'] < 0.9
    assert ours.images == 6
    assert ours.classes['emu'] is None
    assert np.mean([ours.classes['cat'], ours.classes['dog']]) == pytest.approx(ours.metrics['AP'], abs=1e-12)


def test_one_class(truth, detections):
    ours = evaluate_detections(truth, detections, classes=['dog'])
    assert set(ours.classes) == {'dog'}
    assert ours.metrics['AP'] == evaluate_detections(truth, detections).classes['dog']


def test_areas_of_masks_are_not_those_of_their_boxes(truth, detections):
    rles = []
    for d in detections:
        x, y, w, h = d['bbox']
        rle, = mask.frPyObjects([[x, y, x + w, y, x + w, y + h]], 300, 300)
        rles.append({**d, 'segmentation': {**rle, 'counts': rle['counts'].decode()}})
    ours = evaluate_detections(truth, rles, 'segm')
    theirs = evaluate_with_api(truth, [{k: v for k, v in d.items() if k != 'bbox'} for d in rles], 'segm')
    wanted = {f'mask {name}': None if v < 0 else v for name, v in zip(NAMES, theirs.stats)}
    assert ours.metrics == wanted
    with_boxes = evaluate_with_api(truth, rles, 'segm')
    assert list(with_boxes.stats) != list(theirs.stats)


def test_empty_results(truth):
    ours = evaluate_detections(truth, [])
    assert (ours.metrics['AP'], ours.metrics['APs'], ours.classes['cat']) == (0, None, 0)


@pytest.mark.parametrize(('change', 'words'), [
    (dict(image_id=77), "results, detection 36: image_id must be in the annotations, got 77"),
    (dict(image_id=[1]), r"image_id must be in the annotations, got \[1\]"),
    (dict(category_id=2), "category_id must be in the annotations, got 2"),
    (dict(bbox=None), 'must have bbox for an evaluation of boxes'),
    (dict(score=None), 'must have score'),
    (dict(bbox=[1, 2, 3]), r'bbox must be \[x, y, width, height\], got \[1, 2, 3\]'),
    (dict(score=float('nan')), 'score must be a finite number, got nan'),
    (dict(bbox=[1, 2, 'x', 3]), 'bbox must be four finite numbers'),
    (dict(bbox=[1, 2, 10**400, 3]), 'bbox must be four finite numbers'),
    (dict(score=True), 'score must be a finite number, got True'),
])
def test_invalid_detections_are_refused(truth, detections, change, words):
    changed = {key: value for key, value in {**detections[0], **change}.items() if value is not None}
    with pytest.raises(ValueError, match=words):
        evaluate_detections(truth, [*detections, changed])


def test_a_subset_of_the_images(truth, detections):
    perfect = [dict(a, score=1.) for a in json.loads(truth.read_text())['annotations'] if a['image_id'] < 3]
    assert evaluate_detections(truth, perfect).metrics['AP'] < 0.5
    part = evaluate_detections(truth, perfect, images=[1, 2])
    assert (part.metrics['AP'], part.images) == (pytest.approx(1), 2)


def test_invalid_files(tmp_path, truth):
    path = tmp_path / 'x.json'
    for text, words in (('{', 'must be JSON'), ('{"a": 1}', 'must be a list of detections, got a dict'),
                        ('[3]', 'detection 0: must be an object, got 3')):
        path.write_text(text)
        with pytest.raises(ValueError, match=f'results .*x.json.*{words}'):
            evaluate_detections(truth, path)
        with pytest.raises(ValueError, match=r"x\.json must be (JSON, got |an object with lists 'images', )"):
            evaluate_detections(path, [])


@pytest.mark.parametrize('results', [{}, None, b'', iter([])])
def test_results_must_be_a_list(truth, results):
    with pytest.raises(ValueError, match='results must be a list of detections or a file of them, got a'):
        evaluate_detections(truth, results)


def test_annotation_ids_may_begin_with_0(tmp_path, truth, detections):
    wanted = evaluate_detections(truth, detections).metrics
    content = json.loads(truth.read_text())
    for annotation in content['annotations']:
        annotation['id'] -= 1
        del annotation['iscrowd']
    truth.write_text(json.dumps(content))
    assert evaluate_detections(truth, detections).metrics == wanted


def test_unknown_kinds_and_classes_are_refused(truth):
    with pytest.raises(ValueError, match="kind must be one of bbox, segm, keypoints, got 'boxes'"):
        evaluate_detections(truth, [], 'boxes')
    with pytest.raises(ValueError, match="got 'cow', which are not"):
        evaluate_detections(truth, [], classes=['cat', 'cow'])


@pytest.mark.skipif(not FIXTURES.is_dir(), reason='COCO\'s example is missing')
def test_cocos_example(tmp_path, capsys):
    """Compare with the published metrics of the example, e.g. 0.505 for boxes and 0.320 for masks."""
    pytest.importorskip('mmdet')
    from hrnet_plugin.cli import record
    store = tmp_path / 'results.sqlite'
    results = [str(FIXTURES / f'instances_val2014_fake{kind}100_results.json') for kind in ('bbox', 'segm')]
    record.main(['--config', 'mask-rcnn_hrnetv2p-w18_1x_coco', '--store', str(store), '--results', *results,
                 '--annotations', str(FIXTURES / 'instances_val2014_100.json')])
    assert 'stored as number 1' in capsys.readouterr().out
    found, = ResultStore(store).read()
    assert {name: round(value, 3) for name, value in found.scores.metrics.items()} == {
        **dict(zip(NAMES, (.505, .697, .573, .586, .519, .501, .387, .594, .595, .640, .566, .564))),
        **{f'mask {name}': value for name, value in zip(
            NAMES, (.320, .562, .299, .387, .310, .327, .268, .415, .417, .469, .377, .381))}}
    exact = evaluate_with_api(FIXTURES / 'instances_val2014_100.json', json.loads(
        (FIXTURES / 'instances_val2014_fakebbox100_results.json').read_text()), 'bbox')
    assert tuple(found.scores.metrics[name] for name in NAMES) == tuple(exact.stats)
    assert (found.data.images, found.data.whole, found.model.backbone) == (100, False, 'HRNetV2p-W18')
    assert len(found.scores.classes['AP']) == len(found.scores.classes['mask AP']) == 80
