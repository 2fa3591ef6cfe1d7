"""Adapter of each family of heads."""

from __future__ import annotations

from torch import nn

from hrnet_plugin.export.adapters.adapter import Adapter, UnsupportedModel
from hrnet_plugin.export.adapters.dense import DenseAdapter
from hrnet_plugin.export.adapters.gfl import GFLAdapter
from hrnet_plugin.export.adapters.pose import PoseAdapter
from hrnet_plugin.export.adapters.segmentation import SegmentationAdapter, SlidingSegmentationAdapter
from hrnet_plugin.export.adapters.two_stage import TwoStageAdapter

#: Adapters of whole models. The first one that accepts a model is used.
ADAPTERS: tuple[type[Adapter], ...] = (
    DenseAdapter, GFLAdapter, TwoStageAdapter, PoseAdapter, SegmentationAdapter, SlidingSegmentationAdapter)


def find_adapter(model: nn.Module) -> type[Adapter]:
    """Return the class of the adapter for a model.

    Args:
        model: Model of a host.

    Raises:
        UnsupportedModel: If no adapter accepts it.
    """
    for adapter in ADAPTERS:
        if adapter.accepts(model):
            return adapter
    raise UnsupportedModel(f'model must be of a family with an export of whole models, got {_describe(model)}. '
                           'Backbone and neck can be exported: --part network')


def _describe(model: nn.Module) -> str:
    """Return the types of a model and of its heads."""
    names = ('bbox_head', 'rpn_head', 'roi_head', 'decode_head', 'head')
    heads = [type(head).__name__ for name in names if (head := getattr(model, name, None)) is not None]
    return f'{type(model).__name__} with {" and ".join(heads)}' if heads else type(model).__name__
