"""Top-k keypoints of heatmaps, with offsets and embeddings."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip('mmdet')

from synthetic_maps import batch_of, keypoint_maps

from hrnet_plugin.models.dense_heads.keypoints import require_embedding, topk_keypoints


def test_order_and_offsets():
    first = keypoint_maps((0, 3, 4, 0.6, 1.5), (2, 10, 20, 0.9, -1., (0.25, 0.5)))
    found = topk_keypoints(batch_of(first, keypoint_maps((1, 5, 6, 0.7))), k=2, kernel=3)
    assert found.points.shape == (2, 2, 2)
    assert found.points[0].tolist() == [[10.25, 20.5], [3., 4.]]
    assert found.labels[0].tolist() == [2, 0]
    assert found.embeddings[0].tolist() == [-1., 1.5]
    assert found.scores[0].tolist() == pytest.approx([0.9, 0.6])
    assert found.points[1, 0].tolist() == [5., 6.]


def test_heatmap_nms():
    found = topk_keypoints(keypoint_maps((0, 10, 10, 0.9), (0, 11, 10, 0.8), (0, 13, 10, 0.7)), k=3, kernel=3)
    assert found.scores[0].tolist() == pytest.approx([0.9, 0.7, 0.])


def test_fewer_cells_than_keypoints():
    found = topk_keypoints(keypoint_maps((0, 0, 0, 0.9), classes=1, height=2, width=2), k=100, kernel=3)
    assert found.scores.shape == (1, 4)


def test_centers_have_no_embedding():
    assert topk_keypoints(keypoint_maps((0, 1, 1, 0.9), corners=False), k=1, kernel=3).embeddings is None
    with pytest.raises(ValueError, match='embedding'):
        require_embedding(None)
    embedding = torch.zeros(1)
    assert require_embedding(embedding) is embedding
