"""Focal loss on sigmoid and softmax scores, and its gradients."""

from __future__ import annotations

import torch
from torch import Tensor

from mmcv_torch_ops.backend import widen
from mmcv_torch_ops.eager import eager


@eager
def sigmoid_focal_loss_forward(input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float,
                               alpha: float) -> None:
    """Compute the focal loss of each class as a binary problem.

    Args:
        input: Logits, shape (N, C).
        target: Labels in [0, C], where C is background, int64, shape (N,).
        weight: Weight of each class, shape (C,), or empty. Background has weight 1.
        output: Output, loss of each sample and class, shape (N, C).
        gamma: Exponent of the modulating factor.
        alpha: Weight of positive samples. Negative samples have ``1 - alpha``.
    """
    p = widen(input).sigmoid()
    _check_labels(target, p.shape[1])
    p_target = p.gather(1, _index(target, p))
    positive = -alpha * (1 - p_target)**gamma * _log(p_target)
    negative = _log(1 - p).mul_(p.pow_(gamma)).mul_(alpha - 1)
    output.copy_(_combine(positive, negative, target, weight))


@eager
def sigmoid_focal_loss_backward(input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, gamma: float,
                                alpha: float) -> None:
    """Compute the gradient of ``sigmoid_focal_loss_forward`` for an output gradient of ones.

    Args:
        input: Logits, shape (N, C).
        target: Labels in [0, C], int64, shape (N,).
        weight: Weight of each class, shape (C,), or empty.
        grad_input: Output, gradient of the logits, shape (N, C).
        gamma: Exponent of the modulating factor.
        alpha: Weight of positive samples.
    """
    p = widen(input).sigmoid()
    p_target = p.gather(1, _index(target, p))
    q_target = 1 - p_target
    positive = -alpha * q_target**gamma * (q_target - gamma * p_target * _log(p_target))
    q = 1 - p
    negative = _log(q).mul_(q).mul_(-gamma).add_(p).mul_(p.pow_(gamma)).mul_(1 - alpha)
    grad_input.copy_(_combine(positive, negative, target, weight))


@eager
def softmax_focal_loss_forward(input: Tensor, target: Tensor, weight: Tensor, output: Tensor, gamma: float,
                               alpha: float) -> None:
    """Compute the focal loss of the target class.

    Args:
        input: Class probabilities, the softmax of the logits, shape (N, C).
        target: Labels in [0, C), int64, shape (N,). The loss of a negative label is 0.
        weight: Weight of each class, shape (C,), or empty.
        output: Output, loss of each sample, shape (N,).
        gamma: Exponent of the modulating factor.
        alpha: Weight of the loss.
    """
    p = _target_probability(widen(input), target)
    loss = -alpha * (1 - p)**gamma * _log(p) * _label_weights(weight, target, p)
    output.copy_(loss.masked_fill(target < 0, 0))


@eager
def softmax_focal_loss_backward(input: Tensor, target: Tensor, weight: Tensor, buff: Tensor, grad_input: Tensor,
                                gamma: float, alpha: float) -> None:
    """Compute the gradient of the softmax focal loss with respect to the logits.

    Args:
        input: Class probabilities, shape (N, C).
        target: Labels in [0, C), int64, shape (N,).
        weight: Weight of each class, shape (C,), or empty.
        buff: Output, derivative by the log-probability of the target class, shape (N,).
        grad_input: Output, gradient of the logits, shape (N, C).
        gamma: Exponent of the modulating factor.
        alpha: Weight of the loss.
    """
    probabilities = widen(input)
    p = _target_probability(probabilities, target)
    log_p = _log(p)
    # at p = 1 and gamma < 1, the power is infinite, the logarithm is 0, and the limit of their product is 0
    modulation = ((1 - p)**(gamma - 1) * p * log_p).masked_fill(log_p == 0, 0)
    slope = alpha * (gamma * modulation - (1 - p)**gamma) * _label_weights(weight, target, p)
    slope = slope.masked_fill(target < 0, 0)
    buff.copy_(slope)
    classes = torch.arange(input.shape[1], device=input.device)
    grad_input.copy_(slope[:, None] * ((target[:, None] == classes).to(p.dtype) - probabilities))


def _log(p: Tensor) -> Tensor:
    """Compute the logarithm, bounded below at the smallest normal float32 as in mmcv."""
    return p.clamp(min=torch.finfo(torch.float32).tiny).log_()


def _index(target: Tensor, like: Tensor) -> Tensor:
    """Return the column index of each label, shape (N, 1). Labels without a class get an arbitrary valid one."""
    return target.clamp(0, like.shape[1] - 1)[:, None]


def _combine(positive: Tensor, negative: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Write the values of the target class, (N, 1), into those of the other classes, (N, C), and weigh the samples.

    ``negative``, shape (N, C), is changed in place, since it takes hundreds of megabytes with dense anchors.
    """
    index = _index(target, negative)
    is_class = (index == target[:, None])
    combined = negative.scatter_(1, index, torch.where(is_class, positive, negative.gather(1, index)))
    return combined.mul_(_label_weights(weight, target, combined)[:, None]) if weight.numel() else combined


def _target_probability(probabilities: Tensor, target: Tensor) -> Tensor:
    """Return the probability of the target class, shape (N,). Negative labels read class 0."""
    _check_labels(target, probabilities.shape[1] - 1)
    return probabilities.gather(1, target.clamp(min=0)[:, None]).squeeze(1)


def _check_labels(target: Tensor, largest: int) -> None:
    if len(target) and (label := int(target.max())) > largest:
        raise ValueError(f'target must be at most {largest}, got {label}')


def _label_weights(weight: Tensor, target: Tensor, like: Tensor) -> Tensor:
    """Return the class weight of each sample, shape (N,). Labels without a class have weight 1."""
    if not weight.numel():
        return like.new_ones(len(target))
    is_class = (target >= 0) & (target < len(weight))
    return torch.where(is_class, weight.to(like.dtype)[target.where(is_class, 0)], 1)
