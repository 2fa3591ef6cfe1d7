"""Head of CenterNet with keypoint triplets."""

from __future__ import annotations

from collections.abc import Sequence

from mmdet.models.dense_heads.base_dense_head import BaseDenseHead
from mmdet.registry import MODELS as MMDET_MODELS
from mmengine.structures import InstanceData
from torch import Tensor

from hrnet_plugin.checks import (
    MAX_CHANNELS,
    check_feature_maps,
    check_init_cfg,
    check_int,
    check_layer_cfg,
    check_number,
)
from hrnet_plugin.config_types import ConfigEntry, InitCfg
from hrnet_plugin.models.dense_heads.candidates import Candidates, find_candidates
from hrnet_plugin.models.dense_heads.decode_config import DecodeConfig
from hrnet_plugin.models.dense_heads.keypoints import (
    KeypointBranch,
    KeypointMaps,
    Keypoints,
    require_embedding,
    topk_keypoints,
)
from hrnet_plugin.models.dense_heads.map_to_image import ImageMeta, MapToImage
from hrnet_plugin.models.dense_heads.pooling import CascadeCornerPooling, CenterPooling
from hrnet_plugin.models.dense_heads.targets import KeypointTargets, triplet_targets
from hrnet_plugin.models.layers.conv import LayerConfig, conv_norm
from hrnet_plugin.registry import MODELS


@MODELS.register_module()
class CenterTripletHead(BaseDenseHead):
    """Dense head that detects objects as triplets of two corners and a center keypoint.

    `CenterNet: Keypoint Triplets for Object Detection <https://arxiv.org/abs/1904.08189>`_, the CenterNet of the HRNet
    paper (arXiv 1908.07919, tables 7, 9 and 11), on one feature map of stride 4. Corners are paired by their
    embeddings, and pairs without a center keypoint are discarded.

    Args:
        num_classes: Number of classes.
        in_channels: Channels of the input feature map.
        feat_channels: Channels after the first 3x3 convolution, and of the feature maps of all branches.
        pool_channels: Channels of the pooled feature maps.
        min_overlap: Minimum IoU that determines the radius of the Gaussian peaks, in (0, 1). Boxes whose corners lie
            within the radius reach it (CornerNet, arXiv 1808.01244, section 3.2).
        norm_cfg: Config of the norms of the first convolution and the poolings.
        loss_heatmap: Config of the heatmap loss.
        loss_embedding: Config of the pull and push losses of the corner embeddings.
        loss_offset: Config of the offset loss.
        train_cfg: Must be None or empty.
        test_cfg: Entries of :class:`~hrnet_plugin.models.dense_heads.decode_config.DecodeConfig`.
        init_cfg: Initialization, as in mmengine. Default: that of torch, with a heatmap probability of 0.1.

    Raises:
        TypeError, ValueError: If an argument is invalid.
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
            check_int(name, value, 1, MAX_CHANNELS)
        _check_options(min_overlap, norm_cfg, train_cfg)
        losses = dict(loss_heatmap=loss_heatmap, loss_embedding=loss_embedding, loss_offset=loss_offset)
        for name, loss in losses.items():
            check_layer_cfg(name, loss, optional=False, registry=MMDET_MODELS)
        DecodeConfig.from_cfg(test_cfg)
        self.num_classes, self.in_channels, self.min_overlap = num_classes, in_channels, min_overlap
        self.train_cfg, self.test_cfg = train_cfg, test_cfg
        self.loss_heatmap, self.loss_embedding, self.loss_offset = (
            MMDET_MODELS.build(loss) for loss in losses.values())
        layers = LayerConfig(norm_cfg=norm_cfg)
        widths = (feat_channels, pool_channels, layers)
        self.stem = conv_norm(layers, in_channels, feat_channels, 3, relu=True)
        self.top_left = KeypointBranch(
            CascadeCornerPooling(*widths, ('top', 'left')), feat_channels, num_classes, with_embedding=True)
        self.bottom_right = KeypointBranch(
            CascadeCornerPooling(*widths, ('bottom', 'right')), feat_channels, num_classes, with_embedding=True)
        self.center = KeypointBranch(CenterPooling(*widths), feat_channels, num_classes, with_embedding=False)

    def forward(self, feats: Sequence[Tensor]) -> tuple[KeypointMaps, KeypointMaps, KeypointMaps]:
        """Map one ``(N, in_channels, H, W)`` to predictions of top-left corners, bottom-right corners and centers."""
        check_feature_maps('feats', feats, (self.in_channels, ))
        x = self.stem(feats[0])
        return self.top_left(x), self.bottom_right(x), self.center(x)

    def loss_by_feat(self, top_left: KeypointMaps, bottom_right: KeypointMaps, center: KeypointMaps,
                     batch_gt_instances: Sequence[InstanceData], batch_img_metas: Sequence[ImageMeta],
                     batch_gt_instances_ignore: Sequence[InstanceData] | None = None) -> dict[str, Tensor]:
        """Compute the losses of a batch. Ignored objects are treated as background, as in CornerNet.

        Args:
            top_left: Predictions of top-left corners.
            bottom_right: Predictions of bottom-right corners.
            center: Predictions of centers.
            batch_gt_instances: ``bboxes`` (x1, y1, x2, y2 in pixels of the input) and ``labels`` of each image.
            batch_img_metas: Meta information of each image. Only ``batch_input_shape`` of the first one is used.
            batch_gt_instances_ignore: Unused.

        Returns:
            Losses by name.
        """
        predictions = (top_left, bottom_right, center)
        targets = triplet_targets([gt.bboxes for gt in batch_gt_instances], [gt.labels for gt in batch_gt_instances],
                                  center.heat.shape, batch_img_metas[0]['batch_input_shape'], self.min_overlap)
        heat = [self._heat_loss(maps, target) for maps, target in zip(predictions, targets)]
        offset = [self._offset_loss(maps, target) for maps, target in zip(predictions, targets)]
        pull, push = self._embedding_losses(top_left, bottom_right, targets)
        return dict(loss_corner_heat=heat[0] + heat[1], loss_center_heat=heat[2], loss_pull=pull, loss_push=push,
                    loss_corner_offset=offset[0] + offset[1], loss_center_offset=offset[2])

    def _heat_loss(self, maps: KeypointMaps, target: KeypointTargets) -> Tensor:
        number = target.heat.eq(1).sum().clamp(min=1)
        return self.loss_heatmap(maps.heat.float().sigmoid(), target.heat, avg_factor=number)

    def _offset_loss(self, maps: KeypointMaps, target: KeypointTargets) -> Tensor:
        predicted = target.gather(maps.offset).float()
        return self.loss_offset(predicted, target.offsets, avg_factor=max(1, len(predicted)))

    def _embedding_losses(self, top_left: KeypointMaps, bottom_right: KeypointMaps,
                          targets: Sequence[KeypointTargets]) -> tuple[Tensor, Tensor]:
        first, second = (require_embedding(maps.embedding).float() for maps in (top_left, bottom_right))
        pairs = [list(zip(*cells)) for cells in zip(targets[0].cells_per_image(), targets[1].cells_per_image())]
        pull, push = self.loss_embedding(first, second, pairs)
        # without objects, mmdet's loss ignores bottom_right, and its missing gradient would block distributed training
        return pull + second[:0].sum(), push

    def predict_by_feat(self, top_left: KeypointMaps, bottom_right: KeypointMaps, center: KeypointMaps,
                        batch_img_metas: Sequence[ImageMeta], cfg: ConfigEntry | None = None,
                        rescale: bool = False) -> list[InstanceData]:
        """Decode the predictions of a batch.

        Args:
            top_left: Predictions of top-left corners.
            bottom_right: Predictions of bottom-right corners.
            center: Predictions of centers.
            batch_img_metas: Meta information of each image, see
                :class:`~hrnet_plugin.models.dense_heads.map_to_image.ImageMeta`.
            cfg: Decoding options. Default: ``test_cfg``.
            rescale: Whether to return boxes in pixels of the original image, not of the resized image without padding.

        Returns:
            Detections of each image, best first, with ``bboxes`` (x1, y1, x2, y2), ``scores`` and ``labels``.
        """
        config = DecodeConfig.from_cfg(self.test_cfg if cfg is None else cfg)
        results = []
        for candidates, meta in zip(self.get_candidates(top_left, bottom_right, center, batch_img_metas, config),
                                    batch_img_metas):
            result = candidates.decode(config)
            if not rescale:
                result.bboxes = result.bboxes * result.bboxes.new_tensor(meta.get('scale_factor', (1, 1))).repeat(2)
            results.append(result)
        return results

    def get_candidates(self, top_left: KeypointMaps, bottom_right: KeypointMaps, center: KeypointMaps,
                   batch_img_metas: Sequence[ImageMeta], config: DecodeConfig) -> list[Candidates]:
        """Return corner pairs and center keypoints of each image, before filtering by centers and NMS."""
        def best(maps: KeypointMaps, number: int) -> Keypoints:
            return topk_keypoints(maps, number, config.local_maximum_kernel)

        transforms = [MapToImage.from_meta(meta, center.heat.shape[2:]) for meta in batch_img_metas]
        return find_candidates(best(top_left, config.corner_topk), best(bottom_right, config.corner_topk),
                               best(center, config.center_topk), transforms, config)


def _check_options(min_overlap: float, norm_cfg: ConfigEntry, train_cfg: ConfigEntry | None) -> None:
    check_number('min_overlap', min_overlap)
    if not 0 < min_overlap < 1:
        raise ValueError(f'min_overlap must be between 0 and 1, got {min_overlap!r}')
    check_layer_cfg('norm_cfg', norm_cfg, optional=False)
    if train_cfg:
        raise ValueError(f'train_cfg of CenterTripletHead must be None or empty, got {train_cfg!r}')
