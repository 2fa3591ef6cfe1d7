"""Loss of the official segmentation networks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hrnet_plugin.checks import check_int, check_number, check_numbers, check_text
from hrnet_plugin.config_types import ConfigValue
from hrnet_plugin.registry import MODELS


@MODELS.register_module()
class PixelCrossEntropy(nn.Module):
    """Cross entropy averaged over pixels that are not ignored, optionally with online hard example mining (OHEM).

    This is the loss of the official segmentation code (HRNet-Semantic-Segmentation). CrossEntropyLoss of mmsegmentation
    fails if class weights and ignored pixels are combined, and includes ignored pixels in the mean. With
    OHEMPixelSampler, it includes easy pixels as well.

    Args:
        class_weight: Weight of each class, shape (num_classes,). Default: None, which means equal weights. The mean is
            weighted, as in torch. With ``thresh``, the sum is divided by the number of hard pixels instead, as in the
            official code.
        thresh: Threshold of OHEM, in (0, 1]: only pixels with a lower probability of the true class contribute.
            Default: None, which means that all pixels contribute.
        min_kept: Minimum number of hard pixels per batch and device. Requires ``thresh``.
        loss_weight: Factor of the loss.
        loss_name: Name of the loss in the log. mmengine optimizes the sum of losses whose name contains 'loss'.

    Raises:
        TypeError, ValueError: If an argument is invalid.
    """

    class_weight: Tensor | None

    def __init__(self, class_weight: Sequence[float] | None = None, thresh: float | None = None, min_kept: int = 0,
                 loss_weight: float = 1.0, loss_name: str = 'loss_ce') -> None:
        super().__init__()
        check_int('min_kept', min_kept, 0)
        if thresh is None and min_kept:
            raise ValueError(f'min_kept must be 0 without thresh, got {min_kept}')
        if thresh is not None and (isinstance(thresh, bool) or not isinstance(thresh, (int, float))
                                   or not 0 < thresh <= 1):
            raise ValueError(f'thresh must be a probability above 0, or None, got {thresh!r}')
        if class_weight is not None:
            class_weight = check_numbers('class_weight', class_weight, what='numbers, one for each class')
        check_number('loss_weight', loss_weight)
        check_text('loss_name', loss_name)
        self.thresh, self.min_kept = thresh, min_kept
        self.loss_weight, self.loss_name = loss_weight, loss_name
        weight = None if class_weight is None else torch.tensor(class_weight, dtype=torch.float)
        # not persistent: a training option, not a weight of the network
        self.register_buffer('class_weight', weight, persistent=False)

    def forward(self, logits: Tensor, target: Tensor, weight: Tensor | None = None, ignore_index: int = 255,
                **unused: ConfigValue | Tensor) -> Tensor:
        """Compute the loss.

        Args:
            logits: Class logits, shape (N, num_classes, H, W).
            target: Class index of each pixel, shape (N, H, W).
            weight: Must be None. mmsegmentation passes pixel weights if the head has a sampler.
            ignore_index: Class index of ignored pixels.
            unused: Other arguments that mmsegmentation passes to all losses.
        """
        if weight is not None:
            raise ValueError(f'weight must be None, got a tensor of shape {tuple(weight.shape)}. Remove sampler from '
                             'the head: PixelCrossEntropy selects pixels with thresh and min_kept.')
        logits = logits.float()  # the sum over all pixels would overflow in float16
        if self.thresh is None:
            total = F.cross_entropy(logits, target, self.class_weight, ignore_index=ignore_index, reduction='sum')
            counted = target != ignore_index
            amount = counted.sum() if self.class_weight is None else self.class_weight[target[counted]].sum()
            # the loss is 0, not NaN, if all pixels are ignored
            return self.loss_weight * total / amount.clamp_min(1e-12)
        losses = F.cross_entropy(logits, target, self.class_weight, ignore_index=ignore_index, reduction='none')
        return self.loss_weight * self._mean_over_hard_pixels(losses, logits, target, target != ignore_index)

    def _mean_over_hard_pixels(self, losses: Tensor, logits: Tensor, target: Tensor, counted: Tensor) -> Tensor:
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
