"""The head of CenterNet with keypoint triplets."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.models.dense_heads.base_dense_head import BaseDenseHead
from mmdet.registry import MODELS as MMDET_MODELS
from mmengine.structures import InstanceData
from torch import Tensor

from hrnet_plugin.checks import MOST_CHANNELS, check_init_cfg, check_int, check_layer_cfg, check_maps
from hrnet_plugin.config_types import ConfigEntry, InitCfg
from hrnet_plugin.models.dense_heads.candidates import Candidates, find_candidates
from hrnet_plugin.models.dense_heads.decode_config import DecodeConfig
from hrnet_plugin.models.dense_heads.keypoints import (
    KeypointBranch,
    KeypointMaps,
    Keypoints,
    best_keypoints,
    corners_embedding,
)
from hrnet_plugin.models.dense_heads.placement import ImageMeta, Placement
from hrnet_plugin.models.dense_heads.pooling import CascadeCornerPooling, CenterPooling
from hrnet_plugin.models.dense_heads.targets import KeypointTargets, triplet_targets
from hrnet_plugin.models.layers.conv import LayerConfig, conv_norm
from hrnet_plugin.registry import MODELS


@MODELS.register_module()
class CenterTripletHead(BaseDenseHead):
    """Objects as triplets of keypoints: two corners, paired by their embeddings, and a centre that confirms the pair.

    `CenterNet: Keypoint Triplets for Object Detection <https://arxiv.org/abs/1904.08189>`_, the CenterNet of the HRNet
    paper (arXiv 1908.07919, tables 7, 9 and 11), on one map of stride 4. In mmdet's interface of dense heads.

    Args:
        num_classes: Number of classes.
        in_channels: Channels of the map.
        feat_channels: Channels that a 3x3 convolution makes of them, and of all maps behind it.
        pool_channels: Channels that are pooled.
        min_overlap: Corners that lie on the bump around an object's corners give boxes that overlap the object's by
            this at least (CornerNet, arXiv 1808.01244, section 3.2).
        norm_cfg: Norm layer of the first convolution and the poolings.
        loss_heatmap: Of each of the three heat maps.
        loss_embedding: Pulls the embeddings of one object's corners together, and those of two objects apart.
        loss_offset: Of the offsets of corners, and of those of centres.
        train_cfg: There is nothing to configure; None or empty.
        test_cfg: Entries of :class:`~hrnet_plugin.models.dense_heads.decode_config.DecodeConfig`.
        init_cfg: Initial weights, as in mmengine; by default torch's, with heat maps that begin at 0.1.

    Raises:
        TypeError, ValueError: If an argument is wrong; the message names it, what was expected and what came.
    """

    def __init__(self,
                 num_classes: int,
                 in_channels: int,
                 feat_channels: int = 256,
                 pool_channels: int = 128,
                 min_overlap: float = 0.3,
                 norm_cfg: ConfigEntry = dict(type='BN', requires_grad=True),
                 loss_heatmap: ConfigEntry = dict(
                     type='GaussianFocalLoss', alpha=2.0, gamma=4.0, loss_weight=1.0),
                 loss_embedding: ConfigEntry = dict(
                     type='AssociativeEmbeddingLoss', pull_weight=0.1, push_weight=0.1),
                 loss_offset: ConfigEntry = dict(type='SmoothL1Loss', beta=1.0, loss_weight=1.0),
                 train_cfg: ConfigEntry | None = None,
                 test_cfg: ConfigEntry | None = None,
                 init_cfg: InitCfg = None) -> None:
        check_init_cfg(init_cfg)
        super().__init__(init_cfg=init_cfg)
        for name, value in dict(num_classes=num_classes, in_channels=in_channels, feat_channels=feat_channels,
                                pool_channels=pool_channels).items():
            check_int(name, value, 1, MOST_CHANNELS)
        if not 0 < min_overlap < 1:
            raise ValueError(f'min_overlap must be between 0 and 1, got {min_overlap!r}')
        if train_cfg:
            raise ValueError(f'train_cfg of CenterTripletHead has no entries, got {train_cfg!r}')
        check_layer_cfg('norm_cfg', norm_cfg, optional=False)
        DecodeConfig.of(test_cfg)
        self.num_classes, self.in_channels, self.min_overlap = num_classes, in_channels, min_overlap
        self.train_cfg, self.test_cfg = train_cfg, test_cfg
        self.loss_heatmap, self.loss_embedding, self.loss_offset = (
            MMDET_MODELS.build(loss) for loss in (loss_heatmap, loss_embedding, loss_offset))
        layers = LayerConfig(norm_cfg=norm_cfg)
        widths = (feat_channels, pool_channels, layers)
        self.stem = conv_norm(layers, in_channels, feat_channels, 3, relu=True)
        self.top_left = KeypointBranch(
            CascadeCornerPooling(*widths, ('top', 'left')), feat_channels, num_classes, embeds=True)
        self.bottom_right = KeypointBranch(
            CascadeCornerPooling(*widths, ('bottom', 'right')), feat_channels, num_classes, embeds=True)
        self.center = KeypointBranch(CenterPooling(*widths), feat_channels, num_classes, embeds=False)

    def forward(self, feats: Sequence[Tensor]) -> tuple[KeypointMaps, KeypointMaps, KeypointMaps]:
        """Map one ``(N, in_channels, H, W)`` to the maps of top-left corners, bottom-right corners and centres."""
        check_maps('feats', feats, (self.in_channels, ))
        x = self.stem(feats[0])
        return self.top_left(x), self.bottom_right(x), self.center(x)

    def loss_by_feat(self, top_left: KeypointMaps, bottom_right: KeypointMaps, center: KeypointMaps,
                     batch_gt_instances: Sequence[InstanceData], batch_img_metas: Sequence[ImageMeta],
                     batch_gt_instances_ignore: Sequence[InstanceData] | None = None) -> dict[str, Tensor]:
        """Losses of a batch; ignored objects are taken as background, as in CornerNet.

        Args:
            top_left: Maps of top-left corners.
            bottom_right: Maps of bottom-right corners.
            center: Maps of centres.
            batch_gt_instances: ``bboxes`` (x1, y1, x2, y2 in pixels of the input) and ``labels`` of each image.
            batch_img_metas: Of each image; ``batch_input_shape`` of the first one is read.
            batch_gt_instances_ignore: Not read.
        """
        kinds = (top_left, bottom_right, center)
        targets = triplet_targets([gt.bboxes for gt in batch_gt_instances], [gt.labels for gt in batch_gt_instances],
                                  center.heat.shape, batch_img_metas[0]['batch_input_shape'], self.min_overlap)
        heat = [self._heat_loss(maps, target) for maps, target in zip(kinds, targets)]
        offset = [self._offset_loss(maps, target) for maps, target in zip(kinds, targets)]
        pull, push = self._embedding_losses(top_left, bottom_right, targets)
        return dict(loss_corner_heat=heat[0] + heat[1], loss_center_heat=heat[2], loss_pull=pull, loss_push=push,
                    loss_corner_offset=offset[0] + offset[1], loss_center_offset=offset[2])

    def _heat_loss(self, maps: KeypointMaps, target: KeypointTargets) -> Tensor:
        number = target.heat.eq(1).sum().clamp(min=1)
        return self.loss_heatmap(maps.heat.float().sigmoid(), target.heat, avg_factor=number)

    def _offset_loss(self, maps: KeypointMaps, target: KeypointTargets) -> Tensor:
        predicted = target.at_keypoints(maps.offset).float()
        return self.loss_offset(predicted, target.offsets, avg_factor=max(1, len(predicted)))

    def _embedding_losses(self, top_left: KeypointMaps, bottom_right: KeypointMaps,
                          targets: Sequence[KeypointTargets]) -> tuple[Tensor, Tensor]:
        first, second = (corners_embedding(maps.embedding).float() for maps in (top_left, bottom_right))
        pairs = [list(zip(*cells)) for cells in zip(targets[0].of_images(), targets[1].of_images())]
        pull, push = self.loss_embedding(first, second, pairs)
        # without objects, mmdet's loss leaves the second map out, and processes that wait for its gradient would hang
        return pull + second[:0].sum(), push

    def predict_by_feat(self, top_left: KeypointMaps, bottom_right: KeypointMaps, center: KeypointMaps,
                        batch_img_metas: Sequence[ImageMeta], cfg: ConfigEntry | None = None,
                        rescale: bool = False) -> list[InstanceData]:
        """Detections of each image, best first: ``bboxes`` (x1, y1, x2, y2), ``scores`` and ``labels``.

        Args:
            top_left: Maps of top-left corners.
            bottom_right: Maps of bottom-right corners.
            center: Maps of centres.
            batch_img_metas: Of each image, as :meth:`Placement.of` reads them.
            cfg: In place of ``test_cfg``.
            rescale: Whether boxes are in pixels of the original image, or of the resized one without its borders.
        """
        config = DecodeConfig.of(self.test_cfg if cfg is None else cfg)
        results = []
        for candidates, meta in zip(self.candidates(top_left, bottom_right, center, batch_img_metas, config),
                                    batch_img_metas):
            result = candidates.detections(config)
            if not rescale:
                result.bboxes = result.bboxes * result.bboxes.new_tensor(meta.get('scale_factor', (1, 1))).repeat(2)
            results.append(result)
        return results

    def candidates(self, top_left: KeypointMaps, bottom_right: KeypointMaps, center: KeypointMaps,
                   batch_img_metas: Sequence[ImageMeta], config: DecodeConfig) -> list[Candidates]:
        """Pairs of corners and centres of each image, before centres confirm and suppression thins them out."""
        def best(maps: KeypointMaps, number: int) -> Keypoints:
            return best_keypoints(maps, number, config.local_maximum_kernel)

        placements = [Placement.of(meta, center.heat.shape[2:]) for meta in batch_img_metas]
        return find_candidates(best(top_left, config.corner_topk), best(bottom_right, config.corner_topk),
                               best(center, config.center_topk), placements, config)
