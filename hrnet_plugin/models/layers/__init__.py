from hrnet_plugin.models.layers.blocks import BLOCKS, BasicBlock, Bottleneck, ResidualBlock, residual_branch
from hrnet_plugin.models.layers.conv import LayerConfig, conv_norm
from hrnet_plugin.models.layers.fusion import FusionConfig, MultiResolutionFusion
from hrnet_plugin.models.layers.hr_module import HRModule, ParallelBranches
from hrnet_plugin.models.layers.merge import MergeConv
from hrnet_plugin.models.layers.stem import Stem
from hrnet_plugin.models.layers.transition import Transition
from hrnet_plugin.models.layers.upsample import Upsampling

__all__ = [
    'BLOCKS', 'BasicBlock', 'Bottleneck', 'FusionConfig', 'HRModule', 'LayerConfig', 'MergeConv',
    'MultiResolutionFusion', 'ParallelBranches', 'ResidualBlock', 'Stem', 'Transition', 'Upsampling', 'conv_norm',
    'residual_branch'
]
