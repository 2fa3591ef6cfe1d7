"""Candidates of dense heads: the pairs of prior and class with the highest scores."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hrnet_plugin.export.adapters.selection import gather_rows
from hrnet_plugin.export.operators import top_k


@dataclass(frozen=True, kw_only=True)
class CandidateRule:
    """Selection of candidates in one level of the pyramid.

    Attributes:
        classes: Number of classes without the background.
        softmax: Whether scores are the softmax over all classes and the background, which is the last. Otherwise, they
            are sigmoids.
        threshold: Only candidates with greater scores are selected.
        number: Maximum number of candidates per image. None selects all except the lowest one, as mmdet does.
    """

    classes: int
    softmax: bool
    threshold: float
    number: int | None

    def select(self, logits: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Select candidates.

        Args:
            logits: Logits of the classes of each prior, shape (B, N, C).

        Returns:
            Scores, indices of priors and labels, each of shape (B, K). Scores of missing candidates are -1.
        """
        if self.number is None:
            scores, pairs = self._all_pairs(self._activate(logits).flatten(1))
            return scores, pairs // self.classes, pairs % self.classes
        scores, rows, labels = self._top_pairs(logits, self.number)
        return torch.where(scores > self.threshold, scores, -1.), rows, labels

    def _activate(self, logits: Tensor) -> Tensor:
        """Return the scores of the classes."""
        return logits.softmax(-1)[..., :-1] if self.softmax else logits.sigmoid()

    def _top_pairs(self, logits: Tensor, number: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return scores, indices of priors and labels of the highest scores."""
        # the priors with the highest scores include those of the highest pairs, and are quicker to find
        best = self._activate(logits).amax(-1) if self.softmax else logits.amax(-1).sigmoid()
        scores, rows = top_k(best, number)
        if self.classes == 1:
            return scores, rows, torch.zeros_like(rows)
        pair_scores = torch.where(scores[..., None] < 0, -1., self._activate(gather_rows(logits, rows)))
        scores, pairs = top_k(pair_scores.flatten(1), number)
        return scores, rows.gather(1, pairs // self.classes), pairs % self.classes

    def _all_pairs(self, scores: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores and indices of all pairs. The lowest score above the threshold is missing."""
        pairs = torch.arange(scores.shape[1], device=scores.device).expand_as(scores)
        exists = scores > self.threshold
        lowest = torch.where(exists, scores, torch.inf).argmin(1, keepdim=True)
        return torch.where(exists & (pairs != lowest), scores, -1.), pairs
