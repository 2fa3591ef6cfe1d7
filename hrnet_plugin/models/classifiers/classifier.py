"""HRNet-W*-C: image classifier, whose ImageNet weights initialize the networks of other tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.nn import functional as F

from hrnet_plugin.arch import Arch
from hrnet_plugin.checks import check_choice, check_init_cfg, check_mapping, check_number
from hrnet_plugin.config_types import ConfigEntry, ConfigValue, InitCfg
from hrnet_plugin.models.backbones import HRNet
from hrnet_plugin.models.classifiers.head import ClassificationHead
from hrnet_plugin.registry import MODELS

if TYPE_CHECKING:
    from mmpretrain.structures import DataSample

_MODES = ('tensor', 'loss', 'predict')
_HEAD = ('incre_modules', 'downsamp_modules', 'final_layer', 'classifier')


@MODELS.register_module()
class HRNetClassifier(BaseModel):
    """HRNet with its classification head.

    The model works by itself (``HRNetClassifier('w18')(images)`` returns logits) and in mmpretrain configs, with
    mmpretrain's datasets, preprocessor, metrics and tools. State-dict keys begin with ``backbone.`` and ``head.``.
    State dicts of the official code (HRNet-Image-Classification), which have no prefix, are accepted as well.

    Args:
        arch: ``arch`` of :class:`HRNet`: 'w18_small_v1', 'w18_small_v2', 'w18', ..., 'w64', or a mapping.
        num_classes: Number of classes.
        label_smooth: Label smoothing of the training loss, in [0, 1).
        backbone: Additional arguments of :class:`HRNet`.
        head: Additional arguments of :class:`ClassificationHead`.
        data_preprocessor: Data preprocessor, as in mmengine. The default type is mmpretrain's ``ClsDataPreprocessor``.
        train_cfg: Training config, as in mmpretrain. ``augments`` configures batch augmentations such as Mixup.
        init_cfg: Initialization, as in mmengine.

    Raises:
        TypeError, ValueError: If an argument is invalid.

    Example:
        >>> import torch
        >>> HRNetClassifier('w18_small_v1', num_classes=10).eval()(torch.rand(2, 3, 64, 64)).shape
        torch.Size([2, 10])
    """

    def __init__(self,
                 arch: Arch,
                 num_classes: int = 1000,
                 label_smooth: float = 0.,
                 backbone: ConfigEntry | None = None,
                 head: ConfigEntry | None = None,
                 data_preprocessor: ConfigEntry | nn.Module | None = None,
                 train_cfg: ConfigEntry | None = None,
                 init_cfg: InitCfg = None) -> None:
        for name, value in dict(backbone=backbone, head=head, train_cfg=train_cfg).items():
            check_mapping(name, value)
        check_init_cfg(init_cfg)
        check_number('label_smooth', label_smooth)
        if not 0 <= label_smooth < 1:
            raise ValueError(f'label_smooth must be at least 0 and below 1, got {label_smooth!r}')
        super().__init__(_preprocessor_cfg(data_preprocessor, train_cfg), init_cfg)
        self.label_smooth = label_smooth
        # HRNet and ClassificationHead check these
        backbone_options: dict[str, Any] = {'host': 'mmpretrain', **(backbone or {})}
        head_options: dict[str, Any] = {**(head or {})}
        self.backbone = HRNet(arch, **backbone_options)
        self.head = ClassificationHead(self.backbone.out_channels, num_classes=num_classes, **head_options)
        self._register_load_state_dict_pre_hook(_add_prefixes)

    def forward(self, inputs: Tensor, data_samples: Sequence[DataSample] | None = None, mode: str = 'tensor'
                ) -> Tensor | dict[str, Tensor] | list[DataSample]:
        """Classify images.

        Args:
            inputs: Images, shape ``(N, 3, H, W)``.
            data_samples: mmpretrain samples, one per image, with ``gt_label`` or, after Mixup or CutMix, ``gt_score``.
            mode: 'tensor', 'loss' or 'predict'.

        Returns:
            Logits, shape ``(N, num_classes)``, in mode 'tensor'. A dict with the key 'loss' in mode 'loss'. The samples
            with ``pred_score`` and ``pred_label`` in mode 'predict'.
        """
        check_choice('mode', mode, _MODES)
        if mode != 'tensor' and not data_samples:
            raise ValueError(f'data_samples must contain one sample per image in mode {mode!r}, got {data_samples!r}')
        logits = self.head(self.backbone(inputs))
        if mode == 'tensor':
            return logits
        samples = list(data_samples or ())
        if mode == 'loss':
            return dict(loss=F.cross_entropy(logits, _targets(samples, logits), label_smoothing=self.label_smooth))
        for sample, score in zip(samples, logits.softmax(1)):
            sample.pred_score = score
            sample.pred_label = score.argmax().view(1)
        return samples


def _preprocessor_cfg(cfg: ConfigEntry | nn.Module | None, train_cfg: ConfigEntry | None
                  ) -> ConfigEntry | nn.Module | None:
    """Return the preprocessor config with the defaults that mmpretrain's ImageClassifier adds."""
    if not isinstance(cfg, Mapping) and not train_cfg:
        return cfg
    if isinstance(cfg, nn.Module):
        raise TypeError(f'data_preprocessor must be a mapping or None with train_cfg, got {type(cfg).__name__}')
    mixing = {'batch_augments': dict(train_cfg)} if train_cfg else {}
    return {'type': 'mmpretrain.ClsDataPreprocessor', **mixing, **(cfg or {})}


def _targets(samples: Sequence[DataSample], logits: Tensor) -> Tensor:
    """Return class indices ``(N, )``, or class probabilities ``(N, num_classes)`` after Mixup or CutMix."""
    if 'gt_score' in samples[0]:
        return torch.stack([sample.gt_score for sample in samples]).to(logits)
    return torch.cat([sample.gt_label.view(1) for sample in samples]).to(logits.device)


def _add_prefixes(state_dict: dict[str, Tensor], prefix: str, *unused: ConfigValue) -> None:
    """Add the prefixes ``backbone.`` and ``head.`` to the keys of a state dict of the official code, in place."""
    if f'{prefix}conv1.weight' not in state_dict:
        return
    for key in [key for key in state_dict if key.startswith(prefix)]:
        name = key.removeprefix(prefix)
        part = 'head' if name.split('.')[0] in _HEAD else 'backbone'
        state_dict[f'{prefix}{part}.{name}'] = state_dict.pop(key)
