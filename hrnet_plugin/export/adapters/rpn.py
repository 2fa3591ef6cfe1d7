"""Proposals of a region proposal network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hrnet_plugin.export.adapters.adapter import UnsupportedModel
from hrnet_plugin.export.adapters.boxes import check_coder, decode_boxes, is_larger
from hrnet_plugin.export.adapters.selection import flatten_maps, gather_rows
from hrnet_plugin.export.adapters.suppression import NMSSettings, read_nms, suppress
from hrnet_plugin.export.operators import top_k


@dataclass(frozen=True, kw_only=True)
class ProposalRule:
    """Selection of proposals by an RPNHead.

    Attributes:
        nms_pre: Maximum number of candidates per image and level.
        min_size: Only boxes with greater width and height are kept, or None to keep all.
        nms: Settings of NMS, which is separate for each level.
        number: Number of proposals per image, the P below.
    """

    nms_pre: int
    min_size: float | None
    nms: NMSSettings
    number: int

    @classmethod
    def read(cls, head: Any) -> ProposalRule:
        """Return the rule in the test_cfg of an RPNHead.

        Raises:
            UnsupportedModel: If the export does not support the coder or an entry of test_cfg.
        """
        cfg = head.test_cfg
        check_coder(head.bbox_coder)
        for name in ('nms_pre', 'max_per_img'):
            if cfg.get(name, -1) <= 0:
                raise UnsupportedModel(f'test_cfg.rpn.{name} must be positive, got {cfg.get(name)}. Set it to 1000')
        nms = read_nms(cfg.get('nms'), cfg.nms_pre * head.prior_generator.num_levels)
        if nms is None:
            raise UnsupportedModel('test_cfg.rpn.nms must be a dict, got None. Add it to the config')
        smallest = cfg.get('min_bbox_size', -1)
        return cls(nms_pre=cfg.nms_pre, min_size=float(smallest) if smallest >= 0 else None, nms=nms,
                   number=cfg.max_per_img)

    def propose(self, head: Any, feats: Sequence[Tensor], size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Predict proposals.

        Args:
            head: RPNHead.
            feats: Feature maps of the pyramid, each of shape (B, C, H, W).
            size: Height and width of the images.

        Returns:
            Boxes (x1, y1, x2, y2) in descending order of score, shape (B, P, 4), and mask of those that are no
            padding, shape (B, P).
        """
        levels = list(zip(*head(feats)))
        priors = head.prior_generator.grid_priors(
            [logits.shape[-2:] for logits, _ in levels], dtype=feats[0].dtype, device=feats[0].device)
        chosen = [self._choose(head, getattr(prior, 'tensor', prior), *level) for prior, level in zip(priors, levels)]
        scores, anchors, deltas = (torch.cat(parts, 1) for parts in zip(*chosen))
        boxes = decode_boxes(head.bbox_coder, anchors, deltas, size)
        if self.min_size is not None:
            scores = torch.where(is_larger(boxes, self.min_size), scores, -1.)
        groups = [torch.full_like(part[0], level, dtype=torch.long) for level, part in enumerate(chosen)]
        scores, indices = top_k(suppress(boxes, scores, torch.cat(groups, 1), self.nms, self.number), self.number)
        return gather_rows(boxes, indices), scores >= 0

    def _choose(self, head: Any, priors: Tensor, logits: Tensor, deltas: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return scores, anchors and deltas of the candidates of a level."""
        logits = flatten_maps(logits, head.cls_out_channels)
        scores = logits.sigmoid() if head.use_sigmoid_cls else logits.softmax(-1)
        scores, rows = top_k(scores[..., 0], self.nms_pre)
        return scores, priors[rows], gather_rows(flatten_maps(deltas, 4), rows)
