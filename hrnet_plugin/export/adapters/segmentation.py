"""Adapters of segmentation models."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from hrnet_plugin.export.adapters.adapter import Adapter, UnsupportedModel
from hrnet_plugin.export.adapters.host_types import check_methods, is_instance_of
from hrnet_plugin.prediction.metadata import Sliding

_LOGITS = {0: 'batch', 2: 'logits_height', 3: 'logits_width'}


class _SegmentorAdapter(Adapter):
    """mmseg's EncoderDecoder or CascadeEncoderDecoder with any decode heads. Auxiliary heads are not exported.

    Args:
        model: Segmentor in eval mode.

    Raises:
        UnsupportedModel: If a method is overridden, or images are padded.
    """

    mode = ''

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        segmentor: Any = model
        _check(segmentor)
        self.align_corners = bool(segmentor.align_corners)
        self.mask_threshold = _threshold(segmentor)

    @classmethod
    def accepts(cls, model: nn.Module) -> bool:
        """Return True for segmentors with the inference mode of this adapter."""
        return is_instance_of(model, 'mmseg', 'EncoderDecoder') and _mode(model) == cls.mode

    def logits(self, images: Tensor) -> Tensor:
        """Return the logits of the last decode head, shape (B, classes, h, w)."""
        logits: Tensor = self.model(images, None, mode='tensor')
        return logits


class SegmentationAdapter(_SegmentorAdapter):
    """Segmentor that predicts whole images.

    ``labels`` are those of images that are not resized. Labels of another size follow from ``logits``: interpolate them
    bilinearly to the size of the input, then to the size of the image. :attr:`align_corners` holds for both. Then take
    the class of the highest logit. With one output channel, the label is 1 where the sigmoid of the logit exceeds
    :attr:`mask_threshold`.

    Args:
        model: Segmentor in eval mode, with ``mode='whole'`` in ``test_cfg``.
    """

    mode = 'whole'
    outputs = {'labels': {0: 'batch', 1: 'height', 2: 'width'}, 'logits': _LOGITS}

    def forward(self, images: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Predict labels, shape (B, *size), and the logits of the decode head, shape (B, classes, h, w)."""
        logits = self.logits(images)
        full = F.interpolate(logits, images.shape[2:], mode='bilinear', align_corners=self.align_corners)
        labels = full.argmax(1) if self.mask_threshold is None else (full[:, 0].sigmoid() > self.mask_threshold).long()
        return labels, logits


class SlidingSegmentationAdapter(_SegmentorAdapter):
    """Segmentor that predicts overlapping windows.

    The input of the exported model is one window per image. Labels of an image follow from ``logits``: interpolate
    those of each window bilinearly to its size, with :attr:`align_corners`. Average overlapping windows. Interpolate
    the result to the size of the image, and take the class of the highest logit. Windows start at multiples of
    ``stride``. Those that exceed the image are moved inwards. Images smaller than ``crop_size`` are not padded.

    Args:
        model: Segmentor in eval mode, with ``mode='slide'`` in ``test_cfg``.
    """

    mode = 'slide'
    outputs = {'logits': _LOGITS}

    def __init__(self, model: nn.Module) -> None:
        super().__init__(model)
        test_cfg: Any = model.test_cfg
        self.sliding = Sliding(crop_size=tuple(test_cfg.crop_size), stride=tuple(test_cfg.stride))

    def forward(self, images: Tensor, size: tuple[int, int]) -> tuple[Tensor]:
        """Predict the logits of the decode head for windows, shape (B, classes, h, w)."""
        return (self.logits(images), )


def _mode(segmentor: Any) -> str:
    return str((segmentor.test_cfg or {}).get('mode', 'whole'))


def _threshold(segmentor: Any) -> float | None:
    """Return the threshold of a model with one output channel."""
    if segmentor.out_channels != 1:
        return None
    if isinstance(segmentor.decode_head, nn.ModuleList):  # mmseg reads the threshold of decode_head itself
        raise UnsupportedModel('out_channels of a cascade of decode heads must be greater than 1, got 1. '
                               'mmseg cannot predict with such a model')
    return float(segmentor.decode_head.threshold)


def _check(segmentor: Any) -> None:
    from mmseg.models import CascadeEncoderDecoder, EncoderDecoder
    is_cascade = isinstance(segmentor, CascadeEncoderDecoder)
    check_methods(segmentor, CascadeEncoderDecoder if is_cascade else EncoderDecoder, (
        'predict', 'inference', 'whole_inference', 'slide_inference', 'encode_decode', 'postprocess_result'))
    from mmseg.models.decode_heads.cascade_decode_head import BaseCascadeDecodeHead
    from mmseg.models.decode_heads.decode_head import BaseDecodeHead
    head = segmentor.decode_head[-1] if is_cascade else segmentor.decode_head
    base = BaseCascadeDecodeHead if is_cascade else BaseDecodeHead
    check_methods(head, base, ('predict', 'predict_by_feat'))
    padding = getattr(segmentor.data_preprocessor, 'test_cfg', None)
    if padding:  # labels of resized images would depend on the padding
        raise UnsupportedModel(f'test_cfg of the data_preprocessor must be None, got {padding}. '
                               'The model predicts images of any size without padding')
