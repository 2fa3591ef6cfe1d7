"""HRNet: a high-resolution stream from the first layer to the last, with lower-resolution streams beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmengine.model import BaseModule, Sequential, initialize
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from hrnet_plugin.arch import Arch, StageSpec
from hrnet_plugin.checks import (
    MOST_CHANNELS,
    check_bool,
    check_choice,
    check_int,
    check_layer_cfg,
    check_map,
    check_no_others,
)
from hrnet_plugin.config_types import ConfigEntry, ConfigValue, InitCfg
from hrnet_plugin.hosts import HOSTS
from hrnet_plugin.models.backbones.options import check_fusion, or_default, resolve_arch, resolve_init_cfg
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
from hrnet_plugin.models.weight_notes import NETWORK, note_facts
from hrnet_plugin.registry import MODELS

# names of the executions in hrnet_plugin.execution
_MEMORY = {'full': 'folded', 'lean': 'recomputing'}


@MODELS.register_module()
class HRNet(Stem, Optimizable[Tensor], BaseModule):
    """HRNetV1 (``multiscale_output=False``: the finest stream) or the streams of HRNetV2 and HRNetV2p (all four).

    `Deep High-Resolution Representation Learning for Visual Recognition <https://arxiv.org/abs/1908.07919>`_,
    section 3. Names and order of the state dict are those of the official code::

        x - conv1 - conv2 - layer1 -+- stage2 -+- stage3 -+- stage4 -   H/4
                                    '- stage2 -+- stage3 -+- stage4 -   H/8
                                               '- stage3 -+- stage4 -   H/16
                                                          '- stage4 -   H/32

    Any input size works; at multiples of 32 the function is the published one.

    Args:
        arch: A name ('w18_small_v1', 'w18_small_v2', 'w18', 'w30', 'w32', 'w40', 'w44', 'w48', 'w64', and those of the
            ablation study: 'w32_equal_depth', 'w32_single_stream', 'w48_equal_depth', 'w48_single_stream'), or a
            mapping in the ``extra`` schema of mmdet, mmpose and mmsegmentation.
        extra: Such a mapping under its upstream name. Give ``arch`` or ``extra``.
        in_channels: Channels of the image.
        conv_cfg: Convolution layer, for every convolution; None for ``Conv2d``.
        norm_cfg: Norm layer, for every norm; its ``requires_grad`` says whether the affine parameters train.
        norm_eval: Whether batch norms use and keep their running statistics in training.
        with_cp: Whether residual blocks recompute their inside in the backward pass: less memory, more time.
        memory: What a training step keeps for the backward pass: 'full', or 'lean' for the convolutions' outputs and
            the fused maps only, from which norms that learn statistics, residual sums and ReLUs are computed again:
            little more than half, for little time. No effect on norms with frozen statistics, which keep
            no more anyway, and under torch.compile. Not with ``with_cp``.
        zero_init_residual: Whether ``init_weights`` zeroes the last norm of each residual block. A checkpoint named by
            ``init_cfg`` wins.
        frozen_stages: -1 freezes nothing, 0 the stem, s = 1 to 4 the stem and all stages up to s, with the transitions
            behind them: no gradients, norms in eval mode.
        multiscale_output: Whether all maps come out, or the finest only, without the fusion that the others need.
        upsample: Interpolation in the fusion: 'nearest', 'bilinear', or ``dict(mode=..., align_corners=...)``.
        fusion: Which modules end in a fusion unit: 'all' (8 units), 'across-stage' (the last of each stage: 3), or
            'final' (the last of all). This and the next two are the paper's ablations, section 7.
        fusion_operator: How a fusion unit combines maps: 'sum' or 'product'.
        downsample: How a fusion unit brings a map to a coarser resolution: 'strided' convolutions, or 'bilinear'
            interpolation before a 1x1 convolution that changes the width.
        host: Whose defaults hold for ``norm_eval``, ``multiscale_output``, ``upsample`` and ``init_cfg``: 'mmdet'
            (True, True, 'nearest', Kaiming), 'mmpose' (False, False, 'nearest', normal), 'mmseg' (False, True,
            'bilinear', Kaiming) or 'mmpretrain' (False, True, 'nearest', Kaiming). With it, a config of that host keeps
            its meaning when only its type is changed.
        pretrained: A checkpoint; short for ``init_cfg=dict(type='Pretrained', checkpoint=...)``, set by mmsegmentation.
        init_cfg: Initial weights, as in mmengine; also ``dict(type='hrnet_plugin.Pretrained', checkpoint=...)``, which
            loads a checkpoint of any task completely, or says what it lacks.

    Raises:
        TypeError, ValueError: If an argument is wrong; the message names it, what was expected and what came.

    Example:
        >>> import torch
        >>> feats = HRNet('w18_small_v1')(torch.rand(1, 3, 64, 96))
        >>> [tuple(x.shape) for x in feats]
        [(1, 16, 16, 24), (1, 32, 8, 12), (1, 64, 4, 6), (1, 128, 2, 3)]
    """

    init_cfg: InitCfg
    loads_checkpoints_last = True  # which hrnet_plugin.Pretrained asks for

    def __init__(self, arch: Arch | None = None, *, extra: ConfigEntry | None = None, in_channels: int = 3,
                 conv_cfg: ConfigEntry | None = None, norm_cfg: ConfigEntry = dict(type='BN'),
                 norm_eval: bool | None = None, with_cp: bool = False, memory: str = 'full',
                 zero_init_residual: bool = False, frozen_stages: int = -1, multiscale_output: bool | None = None,
                 upsample: UpsampleCfg = None, fusion: str = 'all', fusion_operator: str = 'sum',
                 downsample: str = 'strided', host: str = 'mmdet', pretrained: str | None = None,
                 init_cfg: InitCfg = None, **others: ConfigValue) -> None:
        check_no_others('backbone', 'hrnet_plugin.HRNet', others, "arch='w32'", HRNet)
        check_choice('host', host, HOSTS)
        defaults = HOSTS[host].network
        super().__init__(resolve_init_cfg(init_cfg, pretrained, defaults.init_cfg))
        stages, interpolation, all_maps = resolve_arch(arch, extra, upsample, multiscale_output)
        upsampling = Upsampling.parse(defaults.upsampling if interpolation is None else interpolation)
        self.multiscale_output = or_default('multiscale_output', all_maps, defaults.multiscale_output)
        self.norm_eval = or_default('norm_eval', norm_eval, defaults.norm_eval)
        self.frozen_stages = frozen_stages
        self.in_channels = in_channels
        self.memory = memory
        check_choice('memory', memory, _MEMORY)
        layers = LayerConfig(conv_cfg, norm_cfg, with_cp, zero_init_residual, _MEMORY[memory])
        self._check_options(layers)
        self.conv_cfg, self.norm_cfg = conv_cfg, norm_cfg
        self.plain_convs = is_plain_cfg(conv_cfg)
        units = FusionConfig(upsampling, fusion_operator, downsample)
        check_fusion(fusion, units, stages, self.multiscale_output)
        self.stages = tuple(stages)
        self._build(stages, fusion, units, layers)
        self.out_channels = stages[-1].out_channels[:None if self.multiscale_output else 1]
        self.upsampling, self.fusion_operator = upsampling, fusion_operator
        self.images: str | None = None  # what it gets, once it is a part of a model
        note_facts(self, NETWORK)
        self._freeze_stages()

    def _check_options(self, layers: LayerConfig) -> None:
        check_int('in_channels', self.in_channels, 1, MOST_CHANNELS)
        check_int('frozen_stages', self.frozen_stages, -1, 4)
        check_layer_cfg('conv_cfg', layers.conv_cfg, optional=True)
        check_layer_cfg('norm_cfg', layers.norm_cfg, optional=False)
        check_bool('with_cp', layers.with_cp)
        check_bool('zero_init_residual', layers.zero_init_residual)
        if layers.with_cp and self.memory == 'lean':
            raise ValueError("give with_cp=True or memory='lean', and not both: either decides what is kept")

    def _build(self, stages: Sequence[StageSpec], fusion: str, units: FusionConfig, layers: LayerConfig) -> None:
        """Add all layers, in the official order: it is that of the keys and of the random initial weights."""
        self.build_stem(self.in_channels, layers)
        first, *later = stages
        # named layer1, not stage1: checkpoints use it
        self.layer1 = residual_branch(first.block, STEM_CHANNELS, first.num_channels[0], first.num_blocks[0], layers)
        for s, (before, stage) in enumerate(zip(stages, later), 2):
            self.add_module(f'transition{s - 1}', Transition(before.out_channels, stage.out_channels, layers))
            modules = Sequential()
            for k in range(1, stage.num_modules + 1):
                last = k == stage.num_modules
                outs = 1 if last and s == 4 and not self.multiscale_output else stage.num_branches
                fused = stage.num_branches > 1 and is_fused(fusion, last, s == 4)
                modules.append(HRModule(stage, outs, units if fused else None, layers))
            self.add_module(f'stage{s}', modules)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the feature maps.

        Args:
            x: Images, ``(N, in_channels, H, W)``.

        Returns:
            Maps ``(N, C * 2**b, ceil(H / 2**(b + 2)), ceil(W / 2**(b + 2)))``, finest (b = 0) first: four, or one. Of
            contiguous images they are contiguous.
        """
        check_map('x', x, self.in_channels)
        return self.optimized_or_eager(x)

    def eager_forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """As :meth:`forward`, without checks."""
        return tuple(self.execution.run(self._streams, [x], self.plain_convs))

    def _streams(self, inputs: Sequence[Tensor]) -> Sequence[Tensor]:
        feats = [self.layer1(self.stem(inputs[0]))]
        for s in (2, 3, 4):
            feats = getattr(self, f'transition{s - 1}')(feats)
            feats = getattr(self, f'stage{s}')(feats)
        return feats

    @property
    def extra(self) -> dict[str, ConfigValue]:
        """The stages in the ``extra`` schema of mmdet, mmpose and mmsegmentation."""
        return {f'stage{s}': stage.cfg for s, stage in enumerate(self.stages, 1)}

    stage1_cfg = property(lambda self: self.extra['stage1'])
    stage2_cfg = property(lambda self: self.extra['stage2'])
    stage3_cfg = property(lambda self: self.extra['stage3'])
    stage4_cfg = property(lambda self: self.extra['stage4'])

    def init_weights(self) -> None:
        """Initialise all weights as ``init_cfg`` has it; checkpoints come last, whatever their order in it.

        Raises:
            ValueError: If a checkpoint of type 'hrnet_plugin.Pretrained' does not fit.
        """
        if self.is_init:
            return
        given = self.init_cfg
        cfgs = [given] if isinstance(given, Mapping) else list(given or ())
        ours = [cfg for cfg in cfgs
                if getattr(cfg['type'], 'comes_last', cfg['type'] == 'hrnet_plugin.Pretrained')]
        # mmengine would load these before the residual blocks are initialised
        self.init_cfg = [cfg for cfg in cfgs if cfg not in ours]
        super().init_weights()
        self.init_cfg = given
        initialize(self, ours)

    def train(self, mode: bool = True) -> HRNet:
        """Set the mode; frozen stages and, with ``norm_eval``, batch norms stay in eval mode. Returns self."""
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
