"""HRNet backbone: parallel branches of decreasing resolution with repeated multi-resolution fusion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmengine.model import BaseModule, Sequential, initialize
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from hrnet_plugin.arch import Arch, StageSpec
from hrnet_plugin.checks import (
    MAX_CHANNELS,
    check_bool,
    check_choice,
    check_feature_map,
    check_int,
    check_layer_cfg,
    check_no_others,
)
from hrnet_plugin.config_types import ConfigEntry, ConfigValue, InitCfg
from hrnet_plugin.hosts import HOSTS
from hrnet_plugin.models.backbones.options import (
    check_fusion,
    flag_or_default,
    resolve_arch,
    resolve_init_cfg,
    resolve_out_indices,
)
from hrnet_plugin.models.checkpoint_metadata import NETWORK_METADATA, register_metadata
from hrnet_plugin.models.layers import (
    FusionConfig,
    HRModule,
    LayerConfig,
    Stem,
    Transition,
    Upsampling,
    residual_branch,
)
from hrnet_plugin.models.layers.conv import is_plain_cfg
from hrnet_plugin.models.layers.fusion import is_fused
from hrnet_plugin.models.layers.optimizable import Optimizable
from hrnet_plugin.models.layers.stem import STEM_CHANNELS
from hrnet_plugin.models.layers.upsample import UpsampleCfg
from hrnet_plugin.registry import MODELS

# memory option -> name of an Execution in hrnet_plugin.execution
_MEMORY = {'full': 'folded', 'lean': 'recomputing'}


@MODELS.register_module()
class HRNet(Stem, Optimizable[Tensor], BaseModule):
    """HRNet backbone of HRNetV1 (finest branch only) or of HRNetV2 and HRNetV2p (all four branches).

    `Deep High-Resolution Representation Learning for Visual Recognition <https://arxiv.org/abs/1908.07919>`_,
    section 3. The state-dict keys and their order are those of the official code::

        x - conv1 - conv2 - layer1 -+- stage2 -+- stage3 -+- stage4 -   H/4
                                    '- stage2 -+- stage3 -+- stage4 -   H/8
                                               '- stage3 -+- stage4 -   H/16
                                                          '- stage4 -   H/32

    Any input size is allowed. At multiples of 32 the outputs are exactly those of the official code.

    Args:
        arch: Name of an architecture, or a mapping in the ``extra`` schema of mmdet, mmpose and mmsegmentation. Names:
            'w18_small_v1', 'w18_small_v2', 'w18', 'w30', 'w32', 'w40', 'w44', 'w48' and 'w64'. Names of the ablation
            study: 'w32_equal_depth', 'w32_single_stream', 'w48_equal_depth' and 'w48_single_stream'.
        extra: The mapping under its upstream name. Exactly one of ``arch`` and ``extra`` is required.
        in_channels: Number of image channels.
        conv_cfg: Config of all convolution layers. Default: None, which means ``Conv2d``.
        norm_cfg: Config of all norm layers. ``requires_grad`` selects whether their affine parameters are trained.
        norm_eval: Whether to keep batch norm in eval mode during training. Default: see ``host``.
        with_cp: Whether to use activation checkpointing in residual blocks, which saves memory and costs time.
        memory: Activations to save for the backward pass: 'full', or 'lean' for convolution outputs and fused feature
            maps only. 'lean' recomputes batch norm in training mode, residual sums and ReLUs. It takes little more than
            half of the memory and little time. It has no effect on frozen batch norm or under torch.compile, and
            excludes ``with_cp``.
        zero_init_residual: Whether to initialize the last norm of each residual block with zeros. A checkpoint in
            ``init_cfg`` takes precedence.
        frozen_stages: Stages without gradients and with norms in eval mode. -1: none. 0: the stem. s = 1 to 4: the
            stem and stages 1 to s, each with the transition that follows it.
        multiscale_output: Whether to return the feature maps of all branches or only the finest one. The latter equals
            ``out_indices=(0, )``. Default: see ``host``.
        out_indices: Branches whose feature maps are returned, in ascending order, e.g. ``(0, 1, 2)``. 0 is the finest,
            of stride 4. Fusion paths to the others are not built. It replaces ``multiscale_output``, which must be None
            or agree, and the value in ``extra``. Default: None, which means those that ``multiscale_output`` selects.
        upsample: Interpolation in the fusion: 'nearest', 'bilinear', or ``dict(mode=..., align_corners=...)``.
            Default: see ``host``.
        fusion: Modules that end in a fusion unit: 'all' (8 units), 'across-stage' (last module of each stage, 3 units)
            or 'final' (last module). ``fusion``, ``fusion_operator`` and ``downsample`` are ablations, section 7.
        fusion_operator: Combination of feature maps in a fusion unit: 'sum' or 'product'.
        downsample: Downsampling in a fusion unit: 'strided' convolutions, or 'bilinear' interpolation followed by a 1x1
            convolution.
        host: Project whose defaults apply to ``norm_eval``, ``multiscale_output``, ``upsample`` and ``init_cfg``.
            'mmdet': True, True, 'nearest', Kaiming. 'mmpose': False, False, 'nearest', normal. 'mmseg': False, True,
            'bilinear', Kaiming. 'mmpretrain': False, True, 'nearest', Kaiming. An upstream config with only ``type``
            and ``host`` changed gives the same network.
        pretrained: Checkpoint, short for ``init_cfg=dict(type='Pretrained', checkpoint=...)``. mmsegmentation sets it.
        init_cfg: Initialization, as in mmengine, or ``dict(type='hrnet_plugin.Pretrained', checkpoint=...)``. The
            latter accepts checkpoints of any task and raises an error if tensors are missing. Default: see ``host``.

    Raises:
        TypeError, ValueError: If an argument is invalid.

    Example:
        >>> import torch
        >>> feats = HRNet('w18_small_v1')(torch.rand(1, 3, 64, 96))
        >>> [tuple(x.shape) for x in feats]
        [(1, 16, 16, 24), (1, 32, 8, 12), (1, 64, 4, 6), (1, 128, 2, 3)]
    """

    init_cfg: InitCfg
    loads_checkpoints_last = True  # required by hrnet_plugin.Pretrained

    def __init__(self, arch: Arch | None = None, *, extra: ConfigEntry | None = None, in_channels: int = 3,
                 conv_cfg: ConfigEntry | None = None, norm_cfg: ConfigEntry = dict(type='BN'),
                 norm_eval: bool | None = None, with_cp: bool = False, memory: str = 'full',
                 zero_init_residual: bool = False, frozen_stages: int = -1, multiscale_output: bool | None = None,
                 out_indices: Sequence[int] | None = None, upsample: UpsampleCfg = None, fusion: str = 'all',
                 fusion_operator: str = 'sum', downsample: str = 'strided', host: str = 'mmdet',
                 pretrained: str | None = None, init_cfg: InitCfg = None, **others: ConfigValue) -> None:
        check_no_others('backbone', 'hrnet_plugin.HRNet', others, "arch='w32'", HRNet)
        check_choice('host', host, HOSTS)
        defaults = HOSTS[host].network
        super().__init__(resolve_init_cfg(init_cfg, pretrained, defaults.init_cfg))
        stages, interpolation, multiscale = resolve_arch(arch, extra, upsample, multiscale_output, out_indices)
        upsampling = Upsampling.parse(defaults.upsampling if interpolation is None else interpolation)
        self.out_indices = resolve_out_indices(out_indices, multiscale, defaults.multiscale_output,
                                               stages[-1].num_branches)
        self.multiscale_output = multiscale_output  # the argument, which may be None
        self.norm_eval = flag_or_default('norm_eval', norm_eval, defaults.norm_eval)
        self.frozen_stages = frozen_stages
        self.in_channels = in_channels
        self.memory = memory
        check_choice('memory', memory, _MEMORY)
        layers = LayerConfig(conv_cfg, norm_cfg, with_cp, zero_init_residual, _MEMORY[memory])
        self._check_options(layers)
        self.conv_cfg, self.norm_cfg = conv_cfg, norm_cfg
        self.plain_convs = is_plain_cfg(conv_cfg)
        units = FusionConfig(upsampling, fusion_operator, downsample)
        check_fusion(fusion, units, stages, has_coarser_output=max(self.out_indices) > 0)
        self.stages = tuple(stages)
        self._build(stages, fusion, units, layers)
        self.out_channels = tuple(stages[-1].out_channels[i] for i in self.out_indices)
        self.out_strides = tuple(4 * 2**i for i in self.out_indices)
        self.upsampling, self.fusion_operator = upsampling, fusion_operator
        self.image_format: str | None = None  # set when the backbone is added to a model
        register_metadata(self, NETWORK_METADATA)
        self._freeze_stages()

    def _check_options(self, layers: LayerConfig) -> None:
        check_int('in_channels', self.in_channels, 1, MAX_CHANNELS)
        check_int('frozen_stages', self.frozen_stages, -1, 4)
        check_layer_cfg('conv_cfg', layers.conv_cfg, optional=True)
        check_layer_cfg('norm_cfg', layers.norm_cfg, optional=False)
        check_bool('with_cp', layers.with_cp)
        check_bool('zero_init_residual', layers.zero_init_residual)
        if layers.with_cp and self.memory == 'lean':
            raise ValueError("memory must be 'full' with with_cp=True, got 'lean'. Set one of them, not both.")

    def _build(self, stages: Sequence[StageSpec], fusion: str, units: FusionConfig, layers: LayerConfig) -> None:
        """Add all layers in the official order, which determines the order of keys and of random initial weights."""
        self.build_stem(self.in_channels, layers)
        first, *later = stages
        # layer1, not stage1: the key in checkpoints
        self.layer1 = residual_branch(first.block, STEM_CHANNELS, first.num_channels[0], first.num_blocks[0], layers)
        for s, (before, stage) in enumerate(zip(stages, later), 2):
            self.add_module(f'transition{s - 1}', Transition(before.out_channels, stage.out_channels, layers))
            modules = Sequential()
            for k in range(1, stage.num_modules + 1):
                last = k == stage.num_modules
                outs = self.out_indices if last and s == 4 else range(stage.num_branches)
                fused = stage.num_branches > 1 and is_fused(fusion, last, s == 4)
                modules.append(HRModule(stage, outs, units if fused else None, layers))
            self.add_module(f'stage{s}', modules)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps.

        Args:
            x: Images, ``(N, in_channels, H, W)``.

        Returns:
            A feature map per entry b of ``out_indices``, finest first, with the shape
            ``(N, C * 2**b, ceil(H / 2**(b + 2)), ceil(W / 2**(b + 2)))``. They are contiguous if ``x`` is.
        """
        check_feature_map('x', x, self.in_channels)
        return self.optimized_or_eager(x)

    def eager_forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the outputs of :meth:`forward` without input checks."""
        return tuple(self.execution.run(self._forward_branches, [x], self.plain_convs))

    def _forward_branches(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        feats = [self.layer1(self.stem(inputs[0]))]
        for s in (2, 3, 4):
            feats = getattr(self, f'transition{s - 1}')(feats)
            feats = getattr(self, f'stage{s}')(feats)
        return feats

    @property
    def extra(self) -> dict[str, ConfigValue]:
        """Stages in the ``extra`` schema of mmdet, mmpose and mmsegmentation."""
        return {f'stage{s}': stage.cfg for s, stage in enumerate(self.stages, 1)}

    stage1_cfg = property(lambda self: self.extra['stage1'])
    stage2_cfg = property(lambda self: self.extra['stage2'])
    stage3_cfg = property(lambda self: self.extra['stage3'])
    stage4_cfg = property(lambda self: self.extra['stage4'])

    def init_weights(self) -> None:
        """Initialize all weights as configured by ``init_cfg``. Checkpoints are loaded last, in any case.

        Raises:
            ValueError: If a checkpoint of type 'hrnet_plugin.Pretrained' does not match the network.
        """
        if self.is_init:
            return
        given = self.init_cfg
        cfgs = [given] if isinstance(given, Mapping) else list(given or ())
        ours = [cfg for cfg in cfgs
                if getattr(cfg['type'], 'comes_last', cfg['type'] == 'hrnet_plugin.Pretrained')]
        # mmengine would load these before it initializes the residual blocks
        self.init_cfg = [cfg for cfg in cfgs if cfg not in ours]
        super().init_weights()
        self.init_cfg = given
        initialize(self, ours)

    def train(self, mode: bool = True) -> HRNet:
        """Set the mode and return self. Frozen stages and, with ``norm_eval``, batch norms stay in eval mode."""
        super().train(mode)
        self._freeze_stages()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self

    def _freeze_stages(self) -> None:
        for name in self._frozen_names():
            module = getattr(self, name).eval()
            for parameter in module.parameters():
                parameter.requires_grad = False

    def _frozen_names(self) -> list[str]:
        if self.frozen_stages < 0:
            return []
        names = ['conv1', str(self.norm1_name), 'conv2', str(self.norm2_name)]
        for s in range(1, self.frozen_stages + 1):
            names.append('layer1' if s == 1 else f'stage{s}')
            if s < 4:
                names.append(f'transition{s}')
        return names
