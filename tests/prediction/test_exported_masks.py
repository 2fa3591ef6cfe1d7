"""Masks and label maps of exported models are those of the hosts."""

import numpy as np
import pytest
import torch
from mmdet.models.roi_heads.mask_heads.fcn_mask_head import FCNMaskHead
from mmengine.config import ConfigDict
from mmseg.models import BaseSegmentor
from mmseg.models.segmentors import EncoderDecoder
from mmseg.structures import SegDataSample
from torch.nn import functional as F

from hrnet_plugin.prediction.label_maps import logits_to_labels, resize_logits, slide
from hrnet_plugin.prediction.masks import paste_masks
from hrnet_plugin.prediction.metadata import Sliding


@pytest.mark.parametrize('size', [(40, 60), (33, 21)])
def test_masks_are_those_of_mmdet(size):
    rng = np.random.default_rng(0)
    corners = rng.uniform(0, 1, (30, 2, 2)) * (size[1], size[0])
    boxes = np.concatenate([corners.min(1), corners.max(1)], 1).astype(np.float32)
    boxes[0], boxes[1, 2:], boxes[2] = (0, 0, *size[::-1]), boxes[1, :2], (3, 3, 3, 20)  # image, point, line
    logits = torch.randn(30, 1, 28, 28)
    head = FCNMaskHead(num_convs=0, num_classes=1)
    expected = head._predict_by_feat_single(
        logits, torch.tensor(boxes), torch.zeros(30, dtype=torch.long), dict(scale_factor=(1, 1), ori_shape=size),
        ConfigDict(mask_thr_binary=0.45), rescale=True)
    found = paste_masks(logits[:, 0].sigmoid().numpy(), boxes, size, 0.45)
    np.testing.assert_array_equal(found, expected.numpy())
    assert 0.05 < found.mean() < 0.95


def test_no_masks():
    assert paste_masks(np.zeros((0, 28, 28), np.float32), np.zeros((0, 4), np.float32), (5, 6), 0.5).shape == (0, 5, 6)


def test_boxes_outside_of_the_image():
    boxes = np.array([[-9, -9, -5, -5], [90, 90, 99, 99], [1e9, 1e9, 2e9, 2e9]], np.float32)
    assert not paste_masks(np.ones((3, 28, 28), np.float32), boxes, (10, 12), 0.5).any()


class _Segmentor(torch.nn.Module):
    """The parts of mmseg's EncoderDecoder that its sliding windows and postprocessing call."""

    out_channels = 4
    postprocess_result = BaseSegmentor.postprocess_result
    slide_inference = EncoderDecoder.slide_inference

    def __init__(self, align_corners, sliding):
        super().__init__()
        self.align_corners = align_corners
        self.test_cfg = ConfigDict(stride=sliding.stride, crop_size=sliding.crop_size)

    def logits(self, inputs):
        return F.avg_pool2d(torch.cat([inputs, inputs.flip(2)[:, :1]], 1), 4, ceil_mode=True)

    def encode_decode(self, inputs, metas):
        return F.interpolate(self.logits(inputs), inputs.shape[2:], mode='bilinear', align_corners=self.align_corners)


@pytest.mark.parametrize('align_corners', [False, True])
@pytest.mark.parametrize('size', [(50, 61), (20, 90), (15, 17), (32, 32)])
def test_sliding_windows_are_those_of_mmseg(size, align_corners):
    sliding, images = Sliding(crop_size=(32, 24), stride=(20, 17)), torch.randn(2, 3, *size)
    host = _Segmentor(align_corners, sliding)
    expected = host.slide_inference(images, [{}])
    found = slide(lambda crops: host.logits(torch.from_numpy(crops)), images.numpy(), sliding, align_corners)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    samples = [SegDataSample(metainfo=dict(ori_shape=(37, 45))) for _ in range(2)]
    labels = logits_to_labels(resize_logits(found, (37, 45), align_corners), 0.3)
    for sample, own in zip(host.postprocess_result(expected, samples), labels):
        np.testing.assert_array_equal(sample.pred_sem_seg.data[0].numpy(), own)


def test_one_class_has_a_threshold():
    logits = torch.tensor([-2., 0, 2]).view(1, 1, 1, 3)
    assert logits_to_labels(logits, 0.3).tolist() == [[[0, 1, 1]]]
    assert logits_to_labels(logits, 0.6).tolist() == [[[0, 0, 1]]]
