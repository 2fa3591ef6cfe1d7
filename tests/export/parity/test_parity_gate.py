"""Gate that compares exported models with PyTorch: equal models pass, wrong ones are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from conftest import randomize
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin.config_files import find_config
from hrnet_plugin.export.export import make_exportable
from hrnet_plugin.export.metadata import describe_export
from hrnet_plugin.export.parity.compare import Tally, compare_detections
from hrnet_plugin.export.parity.gate import ParityError, check_parity
from hrnet_plugin.export.parity.reference import Reference
from hrnet_plugin.prediction.metadata import ExportMetadata
from hrnet_plugin.results.dataset_meta import DatasetMeta
from hrnet_plugin.results.prediction import Prediction


@dataclass
class Case:
    """Model and its exportable form, which runs in torch."""

    exportable: torch.nn.Module
    reference: Reference
    metadata: ExportMetadata

    def check(self, change=lambda outputs: None):
        """Run the gate with changed outputs."""
        def run(images):
            with torch.no_grad():
                found = self.exportable(torch.from_numpy(images))
            outputs = {name: value.numpy() for name, value in zip(self.metadata.outputs, found)}
            change(outputs)
            return outputs
        return check_parity(run, self.reference, self.metadata)


def make_case(config: Config, part: str = 'model') -> Case:
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model: Any = randomize(MODELS.build(config.model)).eval()
    exportable = make_exportable(config, model, part)
    metadata = describe_export(config, model, 'none.pth', exportable.adapter, part)
    return Case(exportable, Reference(config, model, metadata), metadata)


@pytest.fixture(scope='module')
def detector():
    pytest.importorskip('mmdet')
    config = find_config('fcos_hrnetv2p-w18-small-v1_sample')
    config.model.test_cfg.update(score_thr=.5, max_per_img=30)
    return make_case(config)


@pytest.fixture(scope='module')
def pose():
    pytest.importorskip('mmpose')
    return make_case(find_config('td-hm_hrnetv1-w18-small-v1_sample'))


@pytest.fixture(scope='module')
def segmentor():
    pytest.importorskip('mmseg')
    return make_case(find_config('fcn_hrnetv2-w18-small-v1_sample'))


def test_an_equal_detector_passes(detector):
    tally, sizes = detector.check()
    assert tally.compared['detections'] + tally.unstable > 60
    assert tally.compared['detections'] > 10 * tally.unstable
    assert sizes == ('256x320', '235x333', '2 x 192x224')


def _shift(outputs):
    outputs['boxes'][:, 0, 0] += 0.02


def _rescore(outputs):
    outputs['scores'][:, :5] -= 0.002


def _relabel(outputs):
    outputs['labels'][-1, 0] += 1


def _drop(outputs):
    outputs['counts'][-1] -= 15


@pytest.mark.parametrize(('change', 'text'), [
    (_shift, r'the boxes differ by 0\.02 px \(tolerance: 0\.01\)'),
    (_rescore, r'the scores by 0\.002 \(tolerance: 0\.001\)'),
    (_relabel, '1 missing and 1 additional detections'),
    (_drop, '15 missing and 0 additional detections')])
def test_a_wrong_detector_is_refused(change, text, detector):
    with pytest.raises(ParityError, match=text) as error:
        detector.check(change)
    assert '\n' not in str(error.value)


def test_an_equal_pose_estimator_passes(pose):
    tally, _ = pose.check()
    assert tally.compared['keypoints'] + tally.unstable == 4 * 17
    assert tally.compared['keypoints'] > 40


@pytest.mark.parametrize('change', [lambda outputs: outputs['keypoints'].__iadd__(0.25 * 4),
                                    lambda outputs: outputs['scores'].__iadd__(0.002)])
def test_a_wrong_pose_estimator_is_refused(change, pose):
    with pytest.raises(ParityError, match='keypoints that differ by up to'):
        pose.check(change)


def test_an_equal_segmentation_model_passes(segmentor):
    tally, _ = segmentor.check()
    assert tally.compared['label map pixels'] == 2 * (256 * 320 + 235 * 333 + 2 * 192 * 224)
    assert tally.largest['labels'] < 1e-4


def _shift_labels(outputs):
    outputs['labels'] = np.roll(outputs['labels'], 1, axis=2)


def _shift_logits(outputs):
    outputs['logits'] = np.roll(outputs['logits'], 1, axis=3)


@pytest.mark.parametrize('change', [_shift_labels, _shift_logits])
def test_a_wrong_segmentation_model_is_refused(change, segmentor):
    with pytest.raises(ParityError, match=r'label maps that differ in \d+\.\d+% of the pixels'):
        segmentor.check(change)


def test_a_network_is_compared_by_its_feature_maps():
    pytest.importorskip('mmdet')
    case = make_case(find_config('centernet-triplet_hrnetv2-w18-small-v1_sample'), 'network')
    tally, _ = case.check()
    assert tally.compared['feature maps'] == 4
    assert tally.largest['feature_maps'] < 1e-5
    with pytest.raises(ParityError, match=r'feature_0 that differs by 0\.01 of its largest value'):
        case.check(lambda outputs: outputs['feature_0'].__imul__(1.01))


def detection_with_mask(pixels):
    """Return a detection whose mask has a number of pixels."""
    mask = np.zeros((1, 10, 20), bool)
    mask.reshape(-1)[:pixels] = True
    return Prediction(task='detection', name='', size=(10, 20), meta=DatasetMeta(), masks=mask,
                      boxes=np.array([[0, 0, 20, 10]], np.float32), scores=np.ones(1, np.float32),
                      labels=np.zeros(1, np.int64))


@pytest.mark.parametrize(('changed', 'problem'), [(94, ''), (81, 'masks that differ in 8 of 85 pixels')])
def test_masks_with_near_ties(changed, problem):
    """A mask may differ as much as that of PyTorch after a small change of the pixels, and no more."""
    tally = Tally()
    found = ' '.join(compare_detections(detection_with_mask(85), detection_with_mask(93),
                                        lambda: [detection_with_mask(changed)], tally))
    assert found.startswith(problem)
    assert bool(found) == bool(problem)
    assert tally.unstable == (not problem)
    assert tally.compared['masks'] == bool(problem)
