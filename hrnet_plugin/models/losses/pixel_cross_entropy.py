"""The loss with which the official segmentation networks were trained."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hrnet_plugin.checks import check_int
from hrnet_plugin.config_types import ConfigValue
from hrnet_plugin.registry import MODELS


@MODELS.register_module()
class PixelCrossEntropy(nn.Module):
    """Cross entropy of pixels, averaged over those that count, optionally over the hard ones only.

    The loss of the official segmentation code (HRNet-Semantic-Segmentation). mmsegmentation's own CrossEntropyLoss
    fails on class weights together with ignored pixels, averages over ignored pixels, and with its OHEMPixelSampler
    over the easy ones as well.

    Args:
        class_weight: Weight of each class; None for equal ones. As in torch, the mean is over the weights, but for hard
            pixels over their number, as in the official code.
        thresh: Hard example mining: pixels whose probability of the true class is below this count; None for all.
        min_kept: With ``thresh``: at least so many pixels of the batch on one device count, the hardest ones.
        loss_weight: Factor of the loss.
        loss_name: Its name in the log; names with 'loss' in them are trained on.

    Raises:
        TypeError, ValueError: If an argument is wrong; the message names it, what was expected and what came.
    """

    class_weight: Tensor | None

    def __init__(self, class_weight: Sequence[float] | None = None, thresh: float | None = None, min_kept: int = 0,
                 loss_weight: float = 1.0, loss_name: str = 'loss_ce') -> None:
        super().__init__()
        check_int('min_kept', min_kept, 0)
        if thresh is None and min_kept:
            raise ValueError(f'min_kept must be 0 without thresh, got {min_kept}')
        if thresh is not None and not (isinstance(thresh, (int, float)) and 0 < thresh <= 1):
            raise ValueError(f'thresh must be a probability above 0, or None, got {thresh!r}')
        if class_weight is not None and (isinstance(class_weight, str) or not isinstance(class_weight, Sequence)):
            raise TypeError('class_weight must be a sequence of numbers, one for each class, or None, got '
                            f'{class_weight!r}')
        self.thresh, self.min_kept = thresh, min_kept
        self.loss_weight, self.loss_name = loss_weight, loss_name
        weight = None if class_weight is None else torch.tensor(class_weight, dtype=torch.float)
        # not in checkpoints: it belongs to the training, not to the network
        self.register_buffer('class_weight', weight, persistent=False)

    def forward(self, logits: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = 255,
                **unused: ConfigValue | Tensor) -> Tensor:
        """The loss of ``(N, classes, H, W)`` logits for an ``(N, H, W)`` map of classes.

        Args:
            logits: Of each class.
            target: Class of each pixel.
            weight: Of each pixel, from a sampler of mmsegmentation; None for none.
            ignore_index: Class of pixels that do not count.
            unused: What mmsegmentation hands to every loss.
        """
        if weight is not None:
            raise ValueError('weight must be None: PixelCrossEntropy chooses pixels itself (thresh, min_kept), so the '
                             'head must have no sampler')
        logits = logits.float()  # a sum over all pixels is more than 16 bits can hold
        if self.thresh is None:
            total = F.cross_entropy(logits, target, self.class_weight, ignore_index=ignore_index, reduction='sum')
            counted = target != ignore_index
            amount = counted.sum() if self.class_weight is None else self.class_weight[target[counted]].sum()
            # a crop without any pixel that counts has no loss, and not a loss that is no number
            return self.loss_weight * total / amount.clamp_min(1e-12)
        losses = F.cross_entropy(logits, target, self.class_weight, ignore_index=ignore_index, reduction='none')
        return self.loss_weight * self._of_hard_pixels(losses, logits, target, target != ignore_index)

    def _of_hard_pixels(self, losses: Tensor, logits: Tensor, target: Tensor, counted: Tensor) -> Tensor:
        with torch.no_grad():
            true_class = target.where(counted, target.new_zeros(())).unsqueeze(1)
            probabilities = logits.softmax(1).gather(1, true_class).squeeze(1)[counted]
            thresh = probabilities.new_tensor(self.thresh)
            if probabilities.numel():
                kept = min(self.min_kept, probabilities.numel() - 1)
                thresh = thresh.maximum(probabilities.kthvalue(kept + 1).values)
            hard = probabilities < thresh
        chosen = losses[counted][hard]
        return chosen.sum() / max(chosen.numel(), 1)
