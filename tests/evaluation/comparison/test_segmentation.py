"""Tests of comparisons of label maps against computations from the definitions, and mmseg's IoUMetric."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
import torch
from comparison_data import slow_label_metrics
from PIL import Image

pytest.importorskip('pycocotools')

from hrnet_plugin.evaluation.comparison.compare import compare
from hrnet_plugin.evaluation.comparison.label_maps import LabelMaps
from hrnet_plugin.evaluation.comparison.segmentation import LabelOptions
from hrnet_plugin.evaluation.comparison.text import as_markdown

CLASSES = 5
NAMES = [f'image{k}' for k in range(7)]


def write_maps(folder, maps, suffix='.png'):
    folder.mkdir()
    for name, labels in maps.items():
        (folder / f'{name}{suffix}').parent.mkdir(exist_ok=True)
        Image.fromarray(labels.astype(np.uint8)).save(folder / f'{name}{suffix}')
    return folder


@pytest.fixture
def maps():
    """Return ground truth without class 3 and with an image of ignored pixels, and two predictions of other quality."""
    rng = np.random.default_rng(0)
    truth = {name: rng.choice([0, 1, 2, 4, 255], size=(6, 8 + k)) for k, name in enumerate(NAMES)}
    truth[NAMES[2]][:] = 255

    def predict(share):
        return {name: np.where((rng.random(labels.shape) < share) & (labels != 255), labels,
                               rng.integers(0, CLASSES - 1, labels.shape)) for name, labels in truth.items()}
    return truth, predict(0.4), predict(0.8)


@pytest.fixture
def folders(tmp_path, maps):
    return [write_maps(tmp_path / name, each) for name, each in zip(('truth', 'first', 'second'), maps)]


def test_metrics_equal_plain_loops(maps, folders):
    truth, *predictions = maps
    found = compare(*folders, draws=5, labels=LabelOptions(classes=['sky', 'road', 'car', 'emu', 'sign']))
    for k, prediction in enumerate(predictions):
        ious, miou, macc, aacc = slow_label_metrics([(prediction[name], truth[name]) for name in NAMES], CLASSES)
        assert [pair[k] for pair in found.metrics.values()] == pytest.approx([miou, macc, aacc])
        assert [pair[k] for pair in found.classes.values()] == pytest.approx(ious)
    assert list(found.metrics) == ['mIoU', 'mAcc', 'aAcc']
    assert found.classes['emu'] == (0, 0)  # predicted only
    assert (found.kind, found.images, found.uncovered) == ('semantic', 7, 0)
    # images by plain loops
    scores = {name: tuple(slow_label_metrics([(each[name], truth[name])], CLASSES)[1] for each in predictions)
              for name in NAMES if name != NAMES[2]}
    wanted = sorted(scores.items(), key=lambda item: item[1][0] - item[1][1])
    assert [name for name, _ in found.differing] == [name for name, _ in wanted]
    assert dict(found.differing)[NAMES[0]] == pytest.approx(scores[NAMES[0]])


@pytest.mark.parametrize('options', [{}, dict(classes=['a', 'b', 'c', 'd', 'e'], label_map={4: 3, 0: 1})])
def test_confusions_equal_plain_loops(maps, tmp_path, options):
    truth, *predictions = maps
    predictions[0][NAMES[0]][:2] = 255  # no class
    folders = [write_maps(tmp_path / name, each) for name, each in zip('abc', maps)]
    found = compare(*folders, draws=2, labels=LabelOptions(**options) if options else None)
    for k, (analysis, prediction) in enumerate(zip(found.analyses, predictions)):
        counts = np.zeros((CLASSES + 1, CLASSES + 1), int)
        for name, labels in truth.items():
            for label, predicted in zip(np.ravel(labels).tolist(), np.ravel(prediction[name]).tolist()):
                if label != 255:
                    counts[options.get('label_map', {}).get(label, label), min(predicted, CLASSES)] += 1
        assert analysis.confusion.counts == counts.tolist()
        assert analysis.objects == counts[:-1].sum(1).tolist()
        assert analysis.predictions == counts[:, :-1].sum(0).tolist()
        assert analysis.precision == [pair[k] for pair in found.classes.values()]
        assert counts[:, CLASSES].any() == (k == 0)


@pytest.mark.parametrize('hits', [[6, 1, 3, 5, 2, 4, 0], [-6, -1, -3, -5, -2, -4, 0], [2, -5, -1, 6, -3, 4, 0]])
@pytest.mark.parametrize('most', [0, 1, 2, 20])
def test_images_with_the_largest_differences(tmp_path, hits, most):
    """List at most ``most`` images per model, also if one model is better on most or all images."""
    def maps_of(sign):
        rows = {name: np.arange(10) < max(0, sign * number) for name, number in zip(NAMES, hits)}
        return {name: row[None].astype(int) for name, row in rows.items()}

    folders = [write_maps(tmp_path / name, each) for name, each in (
        ('truth', {name: np.ones((1, 10)) for name in NAMES}), ('first', maps_of(-1)), ('second', maps_of(1)))]
    found = compare(*folders, draws=2, most=most)
    ordered = sorted(hits, reverse=True)
    better, worse = [n for n in ordered if n > 0], [n for n in ordered if n < 0]
    assert [name for name, _ in found.differing] == [
        NAMES[hits.index(n)] for n in better[:most] + worse[max(0, len(worse) - most):]]


def test_interval_equals_plain_loops(maps, folders):
    truth, *predictions = maps
    found = compare(*folders, draws=8, seed=3)
    generator = np.random.default_rng(3)
    differences = []
    for _ in range(8):
        drawn = np.repeat(NAMES, generator.multinomial(7, [1 / 7] * 7))
        first, second = (slow_label_metrics([(each[name], truth[name]) for name in drawn], CLASSES)[1]
                         for each in predictions)
        differences.append(second - first)
    assert (found.interval.low, found.interval.high) == pytest.approx(tuple(np.quantile(differences, [.025, .975])))
    assert found.interval.difference == pytest.approx(found.metrics['mIoU'][1] - found.metrics['mIoU'][0])


@pytest.mark.parametrize('reduce', [False, True])
def test_files_and_metrics_of_mmseg(tmp_path, maps, reduce):
    """Compare label maps that mmseg's IoUMetric writes with its metrics."""
    pytest.importorskip('mmseg')
    from mmseg.evaluation import IoUMetric
    truth, *predictions = maps
    # with reduce_zero_label, 0 is not evaluated, and other labels are one higher in files
    reduced = {name: np.where(labels == 255, 0, labels + 1) for name, labels in truth.items()}
    write_maps(tmp_path / 'truth', reduced if reduce else truth)
    metrics = []
    for number, prediction in enumerate(predictions):
        metric = IoUMetric(output_dir=str(tmp_path / str(number)))
        metric.dataset_meta = dict(classes=list('abcde'))
        samples = [dict(pred_sem_seg=dict(data=torch.from_numpy(prediction[name])[None]), img_path=f'x/{name}.jpg',
                        gt_sem_seg=dict(data=torch.from_numpy(truth[name])[None]), reduce_zero_label=reduce)
                   for name in NAMES]
        metric.process({}, samples)
        metrics.append(metric.compute_metrics(metric.results))
        (tmp_path / f'{number}.pkl').write_bytes(pickle.dumps(samples))
    for ends in ('', '.pkl'):
        found = compare(tmp_path / 'truth', tmp_path / f'0{ends}', tmp_path / f'1{ends}', draws=2,
                        labels=LabelOptions(reduce_zero_label=reduce))
        for name, pair in found.metrics.items():
            assert [100 * value for value in pair] == pytest.approx([each[name] for each in metrics], abs=0.0051)


def test_identical_folders_do_not_differ(folders):
    found = compare(folders[0], folders[1], folders[1], draws=20)
    assert (found.interval.difference, found.interval.low, found.interval.high, found.interval.equal) == (0, 0, 0, 1)
    assert found.differing == []
    text = as_markdown(found)
    assert '-0.0' not in text
    assert 'Label maps in 7 images. mIoU of second minus mIoU of first: **+0.0**, 95 % interval +0.0 to +0.0' in text


def test_classes_without_pixels_are_not_defined(tmp_path, maps):
    truth, first, _ = maps
    folders = [write_maps(tmp_path / name, {NAMES[0]: np.minimum(each[NAMES[0]], 1)})
               for name, each in (('truth', truth), ('first', first))]
    found = compare(*folders, folders[0], draws=3, labels=LabelOptions(classes=['a', 'b', 'c']))
    assert found.classes['c'] == (None, None)
    assert found.metrics['mIoU'][1] == 1
    assert '| c |' not in as_markdown(found)


def test_classes_that_only_one_model_predicts(tmp_path):
    half = np.array([[0, 0, 1, 1]])
    folders = [write_maps(tmp_path / name, {'a': labels}) for name, labels in (
        ('truth', half), ('first', half), ('second', np.array([[0, 0, 1, 7]])))]
    found = compare(*folders, draws=3)
    assert found.classes['7'] == (None, 0)
    assert found.metrics['mIoU'] == pytest.approx((1, (1 + 1 / 2 + 0) / 3))


def test_suffixes(tmp_path, maps, folders):
    """Match files as of Cityscapes, in subfolders."""
    truth, first, second = maps
    towns = {f'town{k % 2}/{name}': labels for k, (name, labels) in enumerate(truth.items())}
    other = write_maps(tmp_path / 'gt', towns, '_gtFine_labelTrainIds.png')
    predicted = [write_maps(tmp_path / name, each, '_leftImg8bit.png') for name, each in (('A', first), ('B', second))]
    suffixes = ('_leftImg8bit.png', '_gtFine_labelTrainIds.png')
    assert compare(other, *predicted, draws=3, labels=LabelOptions(suffixes=suffixes)) == compare(*folders, draws=3)
    with pytest.raises(ValueError, match=r'got none of image0_leftImg8bit.* and 2 more\. .* set --suffixes'):
        compare(other, *predicted)


def test_missing_files_are_named(folders):
    (folders[2] / 'image3.png').unlink()
    with pytest.raises(ValueError, match=r'second must have a label map of each image in .*truth, got none of image3'):
        compare(*folders)
    (folders[0] / 'image3.png').unlink()
    with pytest.raises(ValueError, match=r'truth must have a label map of each image in .*first, got none of image3'):
        compare(*folders)


def test_sizes_must_be_equal(folders):
    Image.fromarray(np.zeros((6, 9), np.uint8)).save(folders[1] / 'image0.png')
    with pytest.raises(ValueError, match=r'first must have label maps of .*, got 9 x 6 for image0, which is 8 x 6'):
        compare(*folders)


def test_labels_out_of_range(maps, folders):
    for place, name in ((0, 'truth'), (1, 'first')):
        labels = maps[place][NAMES[1]].copy()
        labels[maps[0][NAMES[1]] != 255] = 9
        Image.fromarray(labels.astype(np.uint8)).save(folders[place] / 'image1.png')
        with pytest.raises(ValueError, match=rf'{name}, image1: labels must be from 0 to 4, or 255 .* got 9'):
            compare(*folders, labels=LabelOptions(classes=list('abcde')))
        Image.fromarray(maps[place][NAMES[1]].astype(np.uint8)).save(folders[place] / 'image1.png')


def test_unlabeled_predictions_are_wrong(tmp_path):
    truth = write_maps(tmp_path / 'truth', {'a': np.array([[0, 0, 1, 1]])})
    holes = write_maps(tmp_path / 'holes', {'a': np.array([[0, 255, 1, 1]])})
    found = compare(truth, holes, truth, draws=2)
    assert found.metrics == {'mIoU': pytest.approx((.75, 1)), 'mAcc': pytest.approx((.75, 1)),
                             'aAcc': pytest.approx((.75, 1))}


def test_ignore_index(tmp_path):
    truth = write_maps(tmp_path / 'truth', {'a': np.array([[0, 0, 1, 2]])})
    found = write_maps(tmp_path / 'found', {'a': np.array([[0, 0, 1, 1]])})
    assert compare(truth, found, truth, draws=2, labels=LabelOptions(ignore_index=2)).metrics['mIoU'] == (1, 1)


@pytest.mark.parametrize('classes', [None, list('abc')])
def test_predictions_of_an_ignored_class(tmp_path, classes):
    """Count predictions of the class ``ignore_index`` on other pixels as mmseg's IoUMetric does."""
    rng = np.random.default_rng(4)
    truth, *predictions = ({name: rng.integers(0, 3, (5, 6)) for name in NAMES[:3]} for _ in range(3))
    predictions[1] = {name: np.minimum(labels, 1) for name, labels in predictions[1].items()}
    folders = [write_maps(tmp_path / str(k), each) for k, each in enumerate([truth, *predictions])]
    found = compare(*folders, draws=2, labels=LabelOptions(classes=classes, ignore_index=0))
    pairs = [[(each[name], truth[name]) for name in truth] for each in predictions]
    wanted = [slow_label_metrics(each, 3, ignored=0) for each in pairs]
    assert found.metrics['mIoU'] == pytest.approx([miou for _, miou, *_ in wanted])
    assert list(found.classes.values()) == [pytest.approx(ious) for ious in zip(*(ious for ious, *_ in wanted))]
    assert next(iter(found.classes.values())) == (0, 0)  # predicted, but never labeled
    mmseg = pytest.importorskip('mmseg.evaluation')
    for k, pixels in enumerate(pairs):
        metric = mmseg.IoUMetric(ignore_index=0)
        metric.dataset_meta = dict(classes=list('abc'))
        metric.process({}, [{name: dict(data=torch.from_numpy(labels)[None]) for name, labels in zip(
            ('pred_sem_seg', 'gt_sem_seg'), pair)} for pair in pixels])
        wanted_values = metric.compute_metrics(metric.results)
        for name, pair in found.metrics.items():
            assert 100 * pair[k] == pytest.approx(wanted_values[name], abs=0.0051)


def test_files_that_are_no_label_maps(tmp_path, folders):
    broken = write_maps(tmp_path / 'broken', {'image0': np.zeros((6, 8))})
    Image.fromarray(np.zeros((6, 8, 3), np.uint8)).save(broken / 'image0.png')
    one = write_maps(tmp_path / 'one', {'image0': np.zeros((6, 8))})
    with pytest.raises(ValueError, match=r'image0\.png must be a label map with one channel, got shape \(6, 8, 3\)'):
        compare(one, broken, one)
    (broken / 'image0.png').write_bytes(b'')
    with pytest.raises(ValueError, match=r'image0\.png must be a readable image'):
        compare(one, broken, one)
    Image.fromarray(np.full((6, 8), 255, np.uint8)).save(broken / 'image0.png')
    with pytest.raises(ValueError, match='ground truth must have labeled pixels, got none in'):
        compare(broken, one, one)
    with pytest.raises(FileNotFoundError, match=r'must have label maps whose names end in \.tif, got none'):
        compare(*folders, labels=LabelOptions(suffixes=('.tif', '.png')))
    with pytest.raises(FileNotFoundError, match='label maps must be in an existing folder'):
        compare(tmp_path / 'nothing', *folders[1:])


class Attack:
    def __reduce__(self):
        return os.mkdir, ('attacked', )


@pytest.mark.parametrize('content', [
    pickle.dumps([Attack()]), b'', b'text', pickle.dumps(3), pickle.dumps([dict(pred_instances=1)]),
    pickle.dumps([dict(pred_sem_seg=dict(data=torch.zeros(1, 2, 2)))])])
def test_invalid_predictions(tmp_path, folders, content, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / 'found.pkl'
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r'found\.pkl must be predictions of'):
        compare(folders[0], file, file)
    assert not (tmp_path / 'attacked').exists()


@pytest.mark.parametrize(('labels', 'message'), [
    (torch.zeros(1, 2, 2).add(0.5), r'label maps of integers, shape \(H, W\), got torch.float32 of shape \(2, 2\)'),
    (torch.zeros(2, 2, 2, dtype=torch.int64), r'got torch.int64 of shape \(2, 2, 2\)'),
    (torch.zeros(1, 1, 1, dtype=torch.uint8).expand(1, 10**6, 10**6), 'must have tensors of at most'),
    (torch.zeros(1, 2, 2).to_sparse(), 'must be predictions of')])
def test_predictions_that_are_no_label_maps(tmp_path, labels, message):
    file = tmp_path / 'a.pkl'
    file.write_bytes(pickle.dumps([dict(img_path='1.png', pred_sem_seg=dict(data=labels))]))
    with pytest.raises(ValueError, match=message):
        LabelMaps(file)


def test_binary_predictions_are_floats(tmp_path):
    file, labels = tmp_path / 'a.pkl', torch.tensor([[[0., 1.], [1., 0.]]])
    file.write_bytes(pickle.dumps([dict(img_path='1.png', pred_sem_seg=dict(data=labels))]))
    assert LabelMaps(file).read('1').tolist() == [[0, 1], [1, 0]]


def test_damaged_label_maps_have_one_line(tmp_path):
    """PIL raises errors of many types, such as SyntaxError for a broken chunk."""
    rng = np.random.default_rng(0)
    file = write_maps(tmp_path / 'maps', {'a': rng.integers(0, 4, (40, 40))}) / 'a.png'
    good, errors = np.frombuffer(file.read_bytes(), np.uint8), []
    for _ in range(300):
        damaged = good.copy()
        damaged[rng.integers(8, len(good), size=2)] = rng.integers(256, size=2)
        file.write_bytes(damaged.tobytes())
        try:
            LabelMaps(tmp_path / 'maps').read('a')
        except ValueError as error:
            errors.append(str(error))
    assert len(errors) > 100
    assert all('\n' not in error for error in errors)


def test_damaged_predictions_have_one_line(tmp_path):
    """Change bytes of predictions, which may then have other lengths, names and references."""
    file, rng = tmp_path / 'a.pkl', np.random.default_rng(0)
    good = pickle.dumps([dict(img_path='1.png', pred_sem_seg=dict(data=torch.zeros(1, 4, 4, dtype=torch.int64)))])
    errors: list[str] = []
    for _ in range(500):
        damaged = np.frombuffer(good, np.uint8).copy()
        damaged[rng.integers(len(good), size=2)] = rng.integers(256, size=2)
        file.write_bytes(damaged.tobytes())
        try:
            LabelMaps(file)
        except ValueError as error:
            errors.append(str(error))
    assert len(errors) > 100
    assert all('\n' not in error for error in errors)
