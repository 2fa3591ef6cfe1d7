"""Slow references of the operators, written from their definitions with loops over single numbers."""

from __future__ import annotations

import math

import torch


def intersection_over_union(a, b, offset=0):
    width = min(a[2], b[2]) - max(a[0], b[0]) + offset
    height = min(a[3], b[3]) - max(a[1], b[1]) + offset
    common = max(width, 0) * max(height, 0)
    union = sum((box[2] - box[0] + offset) * (box[3] - box[1] + offset) for box in (a, b)) - common
    return common / union if union else 0.


def nms(boxes, scores, threshold, offset=0):
    boxes, scores = boxes.tolist(), scores.tolist()
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        if all(intersection_over_union(boxes[i], boxes[k], offset) <= threshold for k in kept):
            kept.append(i)
    return kept


def nms_match(boxes, scores, threshold):
    boxes, scores = boxes.tolist(), scores.tolist()
    rest = sorted(range(len(boxes)), key=lambda i: -scores[i])
    groups = []
    while rest:
        best, *others = rest
        inside = [i for i in others if intersection_over_union(boxes[best], boxes[i]) >= threshold]
        groups.append([best, *inside])
        rest = [i for i in others if i not in inside]
    return groups


def soft_nms(boxes, scores, threshold, sigma, min_score, method, offset=0):
    boxes, scores = boxes.tolist(), scores.tolist()
    rest, kept = list(range(len(boxes))), []
    while rest:
        best = max(rest, key=lambda i: scores[i])
        kept.append((best, scores[best]))
        rest.remove(best)
        for i in rest:
            iou = intersection_over_union(boxes[best], boxes[i], offset)
            if method == 'gaussian':
                scores[i] *= math.exp(-iou**2 / sigma)
            elif iou >= threshold:
                scores[i] *= 1 - iou if method == 'linear' else 0
        rest = [i for i in rest if scores[i] >= min_score]
    return kept


def zero_padded(image, y, x):
    """Sample (C, H, W) bilinearly at pixel coordinates. Pixels outside are 0."""
    height, width = image.shape[1:]
    total = torch.zeros(len(image), dtype=image.dtype)
    for row in (math.floor(y), math.floor(y) + 1):
        for column in (math.floor(x), math.floor(x) + 1):
            if 0 <= row < height and 0 <= column < width:
                total += image[:, row, column] * (1 - abs(y - row)) * (1 - abs(x - column))
    return total


def edge_padded(image, y, x):
    """Sample (C, H, W) bilinearly at pixel coordinates. The border is repeated by one pixel, what follows is 0."""
    height, width = image.shape[1:]
    if not (-1 <= y <= height and -1 <= x <= width):
        return torch.zeros(len(image), dtype=image.dtype)
    return zero_padded(image, min(max(y, 0), height - 1), min(max(x, 0), width - 1))


def roi_align(features, rois, bins, scale, ratio, mode, aligned):
    output = torch.zeros(len(rois), features.shape[1], bins, bins, dtype=features.dtype)
    for n, (image, *box) in enumerate(rois.tolist()):
        x1, y1, x2, y2 = (value * scale - aligned * 0.5 for value in box)
        height, width = y2 - y1, x2 - x1
        if not aligned:
            height, width = max(height, 1.), max(width, 1.)
        rows, columns = (ratio or math.ceil(size / bins) for size in (height, width))
        for i in range(bins):
            for j in range(bins):
                samples = [edge_padded(features[int(image)], y1 + (i + (k + 0.5) / rows) * height / bins,
                                       x1 + (j + (m + 0.5) / columns) * width / bins)
                           for k in range(rows) for m in range(columns)]
                if samples:
                    stack = torch.stack(samples)
                    output[n, :, i, j] = stack.mean(0) if mode == 'avg' else stack.amax(0)
    return output


def roi_pool(features, rois, bins, scale):
    channels, height, width = features.shape[1:]
    output = torch.zeros(len(rois), channels, bins, bins, dtype=features.dtype)
    for n, (image, *box) in enumerate(rois.tolist()):
        x1, y1, x2, y2 = box[0] * scale, box[1] * scale, (box[2] + 1) * scale, (box[3] + 1) * scale
        if x2 <= x1 or y2 <= y1:
            continue
        for i in range(bins):
            for j in range(bins):
                rows = range(max(math.floor(y1 + i * (y2 - y1) / bins), 0),
                             min(math.ceil(y1 + (i + 1) * (y2 - y1) / bins), height))
                columns = range(max(math.floor(x1 + j * (x2 - x1) / bins), 0),
                                min(math.ceil(x1 + (j + 1) * (x2 - x1) / bins), width))
                for c in range(channels):
                    values = [features[int(image), c, row, column].item() for row in rows for column in columns]
                    output[n, c, i, j] = max(values, default=0.)
    return output


def sigmoid_focal_loss(logits, target, gamma, alpha, weight=None):
    output = torch.zeros_like(logits)
    for n, label in enumerate(target.tolist()):
        for c in range(logits.shape[1]):
            p = 1 / (1 + math.exp(-logits[n, c].item()))
            loss = -alpha * (1 - p)**gamma * math.log(p) if c == label else \
                -(1 - alpha) * p**gamma * math.log(1 - p)
            known = weight is not None and 0 <= label < len(weight)
            output[n, c] = loss * (weight[label].item() if known else 1)
    return output


def softmax_focal_loss(logits, target, gamma, alpha, weight=None):
    output = torch.zeros_like(logits[:, 0])
    for n, label in enumerate(target.tolist()):
        if label >= 0:
            powers = [math.exp(value) for value in logits[n].tolist()]
            p = powers[label] / sum(powers)
            output[n] = -alpha * (1 - p)**gamma * math.log(p) * (1 if weight is None else weight[label].item())
    return output


def deform_conv(x, offset, weight, stride, padding, dilation, groups, deform_groups, mask=None, bias=None):
    out_channels, group_channels, kernel_h, kernel_w = weight.shape
    per_group = x.shape[1] // deform_groups
    output = torch.zeros(len(x), out_channels, *offset.shape[2:], dtype=x.dtype)
    for n, o, i, j in ((n, o, i, j) for n in range(len(x)) for o in range(out_channels)
                       for i in range(offset.shape[2]) for j in range(offset.shape[3])):
        total = bias[o].item() if bias is not None else 0.
        first = o // (out_channels // groups) * group_channels
        for c, kh, kw in ((c, kh, kw) for c in range(group_channels) for kh in range(kernel_h)
                          for kw in range(kernel_w)):
            point = (first + c) // per_group * kernel_h * kernel_w + kh * kernel_w + kw
            dy, dx = offset[n, 2 * point:2 * point + 2, i, j].tolist()
            sample = zero_padded(x[n, first + c][None], i * stride[0] - padding[0] + kh * dilation[0] + dy,
                                 j * stride[1] - padding[1] + kw * dilation[1] + dx).item()
            total += sample * weight[o, c, kh, kw].item() * (1 if mask is None else mask[n, point, i, j].item())
        output[n, o, i, j] = total
    return output


def ms_deform_attn(value, shapes, starts, locations, weights):
    batch, queries, heads, levels, points = weights.shape
    output = torch.zeros(batch, queries, heads, value.shape[3], dtype=value.dtype)
    for n, q, m, level, p in ((n, q, m, level, p) for n in range(batch) for q in range(queries)
                              for m in range(heads) for level in range(levels) for p in range(points)):
        height, width = shapes[level].tolist()
        start = starts[level].item()
        image = value[n, start:start + height * width, m].t().reshape(-1, height, width)
        x, y = locations[n, q, m, level, p].tolist()
        output[n, q, m] += zero_padded(image, y * height - 0.5, x * width - 0.5) * weights[n, q, m, level, p]
    return output.flatten(2)
