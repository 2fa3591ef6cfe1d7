"""Detection heads that mmdet lacks. Requires mmdet."""

from hrnet_plugin.models.dense_heads.center_triplet import CenterTripletHead
from hrnet_plugin.models.dense_heads.center_triplet_tta import CenterTripletTTAModel

__all__ = ['CenterTripletHead', 'CenterTripletTTAModel']
