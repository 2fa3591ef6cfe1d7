"""Flip and multi-scale testing with the triplet head."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from catalogue import load
from mmengine.registry import MODEL_WRAPPERS, MODELS
from synthetic_maps import keypoint_maps
from torch import nn

pytest.importorskip('mmdet')
from mmdet.structures import DetDataSample

from hrnet_plugin.experiments.benchmarking import random_weights
from hrnet_plugin.models.dense_heads import CenterTripletHead, CenterTripletTTAModel
from hrnet_plugin.models.dense_heads.candidates import Candidates, combine
from hrnet_plugin.models.dense_heads.decode_config import DecodeConfig

pytestmark = pytest.mark.usefixtures('mmdet_scope')


class NoNorm(nn.Module):
    """Data preprocessor without effect."""

    def forward(self, data, training):
        return data


@pytest.fixture(scope='module')
def detector(mmdet_scope):
    model = load('centernet-triplet_hrnetv2-w18-small-v1_sample').model.to_dict()
    model['bbox_head']['num_classes'] = 2  # so that corners of random maps find partners
    model['test_cfg']['distance_threshold'] = 100.
    detector = random_weights(MODELS.build(model)).eval()
    detector.data_preprocessor = NoNorm()
    return detector


def view(image, size=(127, 127), scale=1., flip=False):
    """Return a scaled image in the middle of a padded input, as mmdet's pipeline does, and its sample."""
    height, width = image.shape[1:]
    resized = nn.functional.interpolate(image[None], scale_factor=scale)[0]
    inner = resized.shape[1:]
    resized = resized.flip(2) if flip else resized
    top, left = ((outer - part) // 2 for outer, part in zip(size, inner))
    padded = torch.zeros(3, *size)
    padded[:, top:top + inner[0], left:left + inner[1]] = resized
    meta = dict(img_shape=size, ori_shape=(height, width), scale_factor=(scale, scale), flip=flip,
                flip_direction='horizontal' if flip else None, batch_input_shape=size,
                border=[top, top + inner[0], left, left + inner[1]])
    return padded, DetDataSample(metainfo=meta)


def run(detector, *images):
    """Return the detections of images, each given as a list of views."""
    views = list(zip(*images))
    data = dict(inputs=[torch.stack([image for image, _ in batch]) for batch in views],
                data_samples=[[deepcopy(sample) for _, sample in batch] for batch in views])
    with torch.no_grad():
        return [sample.pred_instances for sample in CenterTripletTTAModel(detector).test_step(data)]


def without_tta(detector, view):
    with torch.no_grad():
        sample, = detector.test_step(dict(inputs=view[0][None], data_samples=[deepcopy(view[1])]))
    return sample.pred_instances


def same(ours, theirs):
    assert len(ours) == len(theirs) > 5
    for name in ('bboxes', 'scores', 'labels'):
        torch.testing.assert_close(getattr(ours, name), getattr(theirs, name), rtol=1e-4, atol=1e-3)


def test_one_view_equals_test_without_tta(detector):
    single = view(torch.rand(3, 96, 120))
    same(run(detector, [single])[0], without_tta(detector, single))


def test_flipped_view_alone(detector):
    """Check that boxes of the flipped view are flipped back, from x to width - x."""
    image = torch.rand(3, 96, 120)
    mirrored, = run(detector, [view(image, flip=True)])
    boxes = without_tta(detector, view(image.flip(2))).bboxes
    expected = torch.stack([120 - boxes[:, 2], boxes[:, 1], 120 - boxes[:, 0], boxes[:, 3]], 1)
    torch.testing.assert_close(mirrored.bboxes, expected, rtol=1e-4, atol=1e-3)


def test_nms_is_applied_once(detector):
    """Check with two equal views that no NMS is applied before the views are combined."""
    single = view(torch.rand(3, 96, 120))
    twice, = run(detector, [single, single])
    with torch.no_grad():
        found = CenterTripletTTAModel(detector)._add_candidates(single[0][None], [deepcopy(single[1])])[0].candidates
    same(twice, combine([found, found], [found]).decode(DecodeConfig.from_cfg(None)))
    doubled = without_tta(detector, single).scores.sum()
    assert twice.scores.sum() > doubled


def test_views_of_all_scales_and_flip_directions(detector):
    """Check that the object of each view has the same box in the original image."""
    class FixedHead(nn.Module):
        """Head that returns its input as predictions."""
        test_cfg = dict(nms=None)
        get_candidates = CenterTripletHead.get_candidates

        def forward(self, feats):
            return feats

    class Detector(nn.Module):
        def __init__(self):
            super().__init__()
            self.bbox_head, self.data_preprocessor = FixedHead(), NoNorm()

        def test_step(self, data):
            raise NotImplementedError

        def extract_feat(self, maps):
            return maps

    samples, maps = [], []
    for scale, flip in ((1, None), (2, None), (2, 'horizontal'), (1, 'vertical'), (1, 'diagonal')):
        x1, y1, x2, y2 = 8, 4, 28, 16  # in an original image of 40 x 24
        if flip in ('horizontal', 'diagonal'):
            x1, x2 = 40 - x2, 40 - x1
        if flip in ('vertical', 'diagonal'):
            y1, y2 = 24 - y2, 24 - y1
        # stride 4, with padding of 8 at the top and 12 on the left
        at = [[int(x * scale + 12) // 4, int(y * scale + 8) // 4] for x, y in
              ((x1, y1), (x2, y2), ((x1 + x2) / 2, (y1 + y2) / 2))]
        rest = [[(x * scale + 12) / 4 % 1, (y * scale + 8) / 4 % 1] for x, y in
                ((x1, y1), (x2, y2), ((x1 + x2) / 2, (y1 + y2) / 2))]
        maps.append([keypoint_maps((1, *cell, 0.9, 0, offset), corners=i < 2)
                     for i, (cell, offset) in enumerate(zip(at, rest))])
        samples.append([DetDataSample(metainfo=dict(
            img_shape=(120, 160), batch_input_shape=(120, 160), ori_shape=(24, 40), scale_factor=(scale, scale),
            border=[8, 8 + 24 * scale, 12, 12 + 40 * scale], flip=flip is not None, flip_direction=flip))])
    result, = CenterTripletTTAModel(Detector()).test_step(dict(inputs=maps, data_samples=samples))
    torch.testing.assert_close(result.pred_instances.bboxes, torch.tensor([[8., 4., 28., 16.]]).expand(5, 4))


@MODEL_WRAPPERS.register_module(force=True)
class TripletWrapper(nn.Module):
    """Replacement for the wrapper of distributed testing."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def test_step(self, data):
        return self.module.test_step(data)


def test_a_wrapped_detector(detector):
    single = view(torch.rand(3, 96, 120))
    same(run(TripletWrapper(detector), [single])[0], without_tta(detector, single))


def test_data_must_be_a_mapping(detector):
    with pytest.raises(TypeError, match='data must be a mapping from keys to batches of each view, got list'):
        CenterTripletTTAModel(detector).test_step([])


def sample(scale, boxes=(), centers=()):
    """Return a view with corner pairs of score 0.6 and center keypoints of score 0.9, all of class 0."""
    found = Candidates(
        torch.tensor(boxes, dtype=torch.float).view(-1, 4), torch.full((len(boxes), ), 0.6),
        torch.zeros(len(boxes), dtype=torch.long), torch.tensor(centers, dtype=torch.float).view(-1, 2),
        torch.full((len(centers), ), 0.9), torch.zeros(len(centers), dtype=torch.long))
    view = DetDataSample(metainfo=dict(scale_factor=(scale, scale)))
    view.set_field(found, 'candidates')
    return view


BOX, CENTER, OTHER = (10., 10., 40., 40.), (25., 25.), (80., 80.)


@pytest.mark.parametrize(('views', 'found'), [
    ([(0.5, [BOX], [OTHER]), (1.0, [], [CENTER])], [BOX]),
    ([(0.5, [BOX], [CENTER]), (1.0, [], [OTHER])], []),
    ([(0.5, [BOX], [OTHER]), (2.0, [], [CENTER])], [BOX]),
    ([(1.0, [BOX], [OTHER]), (1.0, [], [CENTER])], [BOX])])
def test_center_keypoints_of_views_at_original_size_are_used(detector, views, found):
    """Check which views contribute center keypoints: all of them if none has the original size."""
    merged, = CenterTripletTTAModel(detector).merge_preds([[sample(*view) for view in views]])
    assert merged.pred_instances.bboxes.tolist() == [list(box) for box in found]
    assert 'candidates' not in merged


def test_a_batch_equals_its_images_one_by_one(detector):
    images = [torch.rand(3, 96, 120), torch.rand(3, 80, 100)]
    views = [[view(image, flip=flip) for flip in (False, True)] for image in images]
    for ours, alone in zip(run(detector, *views), views):
        same(ours, run(detector, alone)[0])
