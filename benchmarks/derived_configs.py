"""Configs that `hrnet derive` derives from the configs of the hosts, compared with these and trained for one step.

    PYTHONPATH=. python benchmarks/derived_configs.py hrnet --out FILE.json [--host mmpose ...]
    PYTHONPATH=. python benchmarks/derived_configs.py detectors --out FILE.json

`hrnet` derives from each config with an HRNet of its host, and compares both models. State-dict keys, trainable
parameters and modes of the norms must be equal. Outputs in eval mode are compared in float64, at 64 x 64 pixels and
with the same random weights. Configs with equal models are compared once.

`detectors` derives W18-small-v1 detectors from configs of mmdet with other backbones. Each takes one training step on
two random images.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import MODELS, DefaultScope
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from hrnet_plugin.config_bases import cached_bases
from hrnet_plugin.derivation import derive
from hrnet_plugin.derivation.build import read_derived
from hrnet_plugin.derivation.host_configs import HostConfig, list_host_configs
from hrnet_plugin.derivation.type_change import find_hrnets
from hrnet_plugin.experiments.benchmarking import random_weights
from hrnet_plugin.hosts import HOSTS, MMDET, Host

ARCH = 'w18_small_v1'
# configs of mmdet by kind, without HRNet
DETECTORS = {
    'R-CNN': (
        'faster-rcnn_r50_fpn_1x_coco', 'faster-rcnn_r50_pafpn_1x_coco', 'libra-faster-rcnn_r50_fpn_1x_coco',
        'cascade-rcnn_r50_fpn_1x_coco', 'sparse-rcnn_r50_fpn_1x_coco', 'faster-rcnn_r50-caffe_c4-1x_coco'),
    'one stage': (
        'retinanet_r50_fpn_1x_coco', 'retinanet_effb3_fpn_8xb4-crop896-1x_coco', 'retinanet_pvtv2-b0_fpn_1x_coco',
        'fcos_r50-caffe_fpn_gn-head_1x_coco', 'atss_r50_fpn_1x_coco', 'gfl_r50_fpn_1x_coco',
        'tood_r50_fpn_1x_coco', 'reppoints-moment_r50_fpn_1x_coco', 'yolof_r50-c5_8xb8-1x_coco',
        'yolox_s_8xb8-300e_coco', 'yolov3_d53_8xb8-ms-608-273e_coco', 'rtmdet_s_8xb32-300e_coco',
        'centernet_r18_8xb16-crop512-140e_coco', 'ssd300_coco',
        'cornernet_hourglass104_10xb5-crop511-210e-mstest_coco'),
    'DETR': (
        'detr_r50_8xb2-150e_coco', 'conditional-detr_r50_8xb2-50e_coco', 'dab-detr_r50_8xb2-50e_coco',
        'deformable-detr_r50_16xb2-50e_coco', 'dino-4scale_r50_8xb2-12e_coco', 'dino-5scale_swin-l_8xb2-12e_coco'),
    'instances': (
        'mask-rcnn_r50_fpn_1x_coco', 'mask-rcnn_swin-t-p4-w7_fpn_1x_coco', 'cascade-mask-rcnn_r50_fpn_1x_coco',
        'mask2former_r50_8xb2-lsj-50e_coco', 'solov2_r50_fpn_1x_coco', 'condinst_r50_fpn_ms-poly-90k_coco_instance',
        'yolact_r50_1xb8-55e_coco', 'point-rend_r50-caffe_fpn_ms-1x_coco', 'queryinst_r50_fpn_1x_coco'),
}
_NOT_NETWORK = ('_scope_', 'init_cfg', 'pretrained', 'train_cfg', 'test_cfg', 'data_preprocessor', 'decoder')
_MOST_DIFFERENCE = 1e-5
_QUERIES = 300


@dataclass
class Outcome:
    """Result for one config.

    Attributes:
        host: Name of the host.
        config: Path below the folder of configs.
        kind: Folder of the config, or kind of detector.
        error: Error message, or '' if everything is equal or finite.
        difference: Largest relative difference of an output, or None.
        loss: Loss of the training step, or None.
        neck: Neck of the derived detector.
    """

    host: str
    config: str
    kind: str
    error: str = ''
    difference: float | None = None
    loss: float | None = None
    neck: str = ''


def hrnet_configs(host: Host) -> Iterator[tuple[HostConfig, Config]]:
    """Yield each config of a host that has an HRNet of the host."""
    for config in list_host_configs(host):
        if 'hr' not in config.name.lower():
            continue
        with cached_bases():
            read = Config.fromfile(str(config.path))
        if any(find_hrnets(read.get('model') or {})):
            yield config, read


def network_key(model: Mapping[str, object]) -> str:
    """Return a text that is equal for configs with the same network."""
    return json.dumps(_network(model), sort_keys=True)


def _network(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _network(entry) for key, entry in value.items()
                if key not in _NOT_NETWORK and not key.startswith('loss')}
    return [_network(entry) for entry in value] if isinstance(value, (list, tuple)) else value


def compare_host(host: Host) -> Iterator[Outcome]:
    """Yield the outcome of each HRNet config of a host."""
    known: dict[str, tuple[str, float | None]] = {}
    for config, read in hrnet_configs(host):
        yield compare_config(config, read, known)


def compare_config(config: HostConfig, read: Config, known: dict[str, tuple[str, float | None]]) -> Outcome:
    """Return the outcome of an HRNet config of a host.

    Args:
        config: Config of the host.
        read: The same with its bases.
        known: Key of each compared network -> result of :func:`compare_models`. It is extended.
    """
    outcome = Outcome(config.host.name, config.name, config.name.rsplit('/', 1)[0])
    try:
        derived = derive(config.base)
        key = network_key(read.model)
        if key not in known:
            known[key] = compare_models(config.host, read, read_derived(derived))
        outcome.error, outcome.difference = known[key]
    except Exception as error:  # an outcome, too
        outcome.error = f'{type(error).__name__}: {error}'
    return outcome


def compare_models(host: Host, theirs: Config, ours: Config) -> tuple[str, float | None]:
    """Return what differs between the models of two configs, and the largest relative difference of an output."""
    upstream, plugin = build(host, theirs), build(host, ours)
    random_weights(upstream)
    if list(upstream.state_dict()) != list(plugin.state_dict()):
        return 'state-dict keys differ', None
    plugin.load_state_dict(upstream.state_dict(), strict=True)
    for facts in (_trainable, _norm_modes):
        if facts(upstream) != facts(plugin):
            return f'{facts.__name__.strip("_")} differ', None
    image = torch.randn(1, theirs.model.backbone.get('in_channels', 3), 64, 64, dtype=torch.float64)
    outs, expected = (_outputs(host, model.double(), image) for model in (plugin, upstream))
    pairs = zip(expected, outs, strict=True)
    difference = max(((a - b).abs().max() / a.abs().max().clamp_min(1e-30)).item() for a, b in pairs)
    return ('' if difference < _MOST_DIFFERENCE else 'outputs differ'), difference


def build(host: Host, config: Config) -> nn.Module:
    """Build the model of a config on the CPU, without initial weights of a checkpoint."""
    import_module(f'{host.name}.models')
    model = config.model.to_dict()
    if host is not MMDET:
        model.pop('pretrained', None)
    with DefaultScope.overwrite_default_scope(host.name):
        return MODELS.build(Config(dict(model=model)).model)


def _trainable(model: nn.Module) -> list[str]:
    return [name for name, parameter in model.named_parameters() if parameter.requires_grad]


def _norm_modes(model: nn.Module) -> list[tuple[type, bool]]:
    model.train()
    return [(type(module), module.training) for module in model.modules() if isinstance(module, _BatchNorm)]


@torch.no_grad()
def _outputs(host: Host, model: nn.Module, image: Tensor) -> list[Tensor]:
    """Return the outputs of the model in eval mode: those of the neck for detectors, whose heads are the same."""
    model.eval()
    outs = [] if host is MMDET else [model(image, None, mode='tensor')]
    if host is MMDET or type(model).__name__ == 'BottomupPoseEstimator':  # some return detected instances only
        outs.append(model.extract_feat(image))
    return list(_tensors(outs))


def _tensors(value: object) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _tensors(entry)


def train_detector(kind: str, name: str) -> Outcome:
    """Return the outcome of a derived detector after one training step on random images."""
    outcome = Outcome(MMDET.name, name, kind)
    try:
        config = read_derived(derive(f'mmdet::{name}', ARCH))
    except ValueError as error:
        outcome.error = str(error)
        return outcome
    neck = config.model.get('neck')
    outcome.neck = ' + '.join(part.type for part in neck) if isinstance(neck, list) else neck.type if neck else ''
    try:
        outcome.loss = training_step(config)
    except Exception as error:  # an outcome, too
        outcome.error = f'{type(error).__name__}: {error}'
    return outcome


def training_step(config: Config) -> float:
    """Return the loss of a derived detector with random weights.

    Raises:
        ValueError: If the loss or a gradient of the backbone is not finite.
    """
    # frozen batch norms of random weights normalize nothing
    config.model.backbone.update(init_cfg=None, norm_eval=False)
    if config.model.get('num_queries', 0) > _QUERIES:  # more than small images have pixels at stride 8
        config.model.num_queries = _QUERIES
    torch.manual_seed(0)
    model = build(MMDET, config)
    model.init_weights()
    # some models read the counters of mmengine's runner
    for counter in ('iter', 'epoch'):
        MessageHub.get_current_instance().update_info(counter, 0)
    loss = _loss(model.train())
    loss.backward()
    gradients = [parameter.grad for parameter in model.backbone.parameters()]
    if not loss.isfinite() or not all(gradient is not None and gradient.isfinite().all() for gradient in gradients):
        raise ValueError('loss and gradients must be finite')
    return loss.item()


def _loss(model: nn.Module) -> Tensor:
    from mmdet.testing import demo_mm_inputs
    masks = any(key in model._modules for key in ('mask_head', 'panoptic_head')) or getattr(
        getattr(model, 'roi_head', None), 'with_mask', False)
    batch = demo_mm_inputs(2, [(3, 128, 160)] * 2, num_items=[3, 2], num_classes=10, with_mask=masks)
    data = model.data_preprocessor(batch, True)
    return model.parse_losses(model(**data, mode='loss'))[0]


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('kind', choices=('hrnet', 'detectors'))
    parser.add_argument('--host', nargs='+', choices=list(HOSTS), default=list(HOSTS))
    parser.add_argument('--out', type=Path, required=True)
    args = parser.parse_args(argv)
    MMLogger.get_current_instance().setLevel(logging.ERROR)
    outcomes = (outcome for host in args.host for outcome in compare_host(HOSTS[host])) if args.kind == 'hrnet' else (
        train_detector(kind, name) for kind, names in DETECTORS.items() for name in names)
    rows = []
    for outcome in outcomes:
        print(outcome, flush=True)
        rows.append({key: value for key, value in asdict(outcome).items() if value not in ('', None)})
        args.out.write_text(json.dumps(rows, indent=1) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
