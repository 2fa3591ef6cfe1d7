"""Backbone and neck beside mmdet's, with the same weights, in one process and in turns.

    python benchmarks/speed.py [--arch w18 w32] [--size 800 1344] [--batch 1] [--rounds 5] [--train] [--out FILE.json]

Of each network HRNet + HRFPN of the plugin and of mmdet, and ResNet-50 (W18) or ResNet-101 (others) + FPN of mmdet. The
size 256 x 192 is pose: one stream, no neck. In each round all are timed, in turns, by torch.utils.benchmark; what is
printed is the median of the rounds' ratios: a machine that is busy for a while slows all of them.

Memory of a training step is what the forward pass leaves behind for the backward pass: the bytes of all tensors that
autograd keeps, each storage once, without parameters and images. It is exact and the same in every run.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmdet.models.backbones import HRNet as UpstreamHRNet
from mmdet.models.backbones import ResNet
from mmdet.models.necks import FPN
from mmdet.models.necks import HRFPN as UpstreamHRFPN
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.benchmark import Timer

from hrnet_plugin.models import HRFPN, HRNet
from hrnet_plugin.models.arch import ARCHS, arch_channels

POSE = (256, 192)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--arch', nargs='+', default=['w18', 'w32'], choices=ARCHS)
    parser.add_argument('--size', type=int, nargs='+', default=[800, 1344, 512, 512, 256, 192], metavar='H W')
    parser.add_argument('--batch', type=int, default=1)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--train', action='store_true', help='time training steps, and weigh what they keep')
    parser.add_argument('--norm-eval', choices=['yes', 'no'], default='yes',
                        help="whether norms keep their statistics in training (yes, mmdet's default)")
    parser.add_argument('--device', default='cuda' if torch.cuda.is_available() else 'cpu')
    parser.add_argument('--out', type=Path, metavar='FILE.json')
    return parser.parse_args()


def extra(arch: str) -> dict[str, Any]:
    """A named network in mmdet's words."""
    return {f'stage{s}': dict(num_modules=spec.num_modules, num_branches=s, block=spec.block,
                              num_blocks=spec.num_blocks, num_channels=spec.num_channels)
            for s, spec in enumerate(ARCHS[arch], 1)}


def randomize(model: nn.Module) -> None:
    """Random weights and statistics that keep activations of order one."""
    for name, tensor in model.state_dict().items():
        if name.endswith('running_var') or (tensor.dim() == 1 and name.endswith('weight')):
            tensor.uniform_(0.5, 1.5)
        elif tensor.dim() == 1:
            tensor.normal_(0, 0.1)
        elif tensor.dim() == 4:
            tensor.normal_(0, tensor[0].numel()**-0.5)


def contestants(arch: str, pose: bool, norm_eval: bool) -> dict[str, nn.Module]:
    channels = list(arch_channels(arch))
    options = dict(multiscale_output=not pose, norm_eval=norm_eval)
    theirs, ours = UpstreamHRNet(extra(arch), **options), HRNet(arch, **options)
    pair = {'mmdet': [theirs], 'ours': [ours]}
    if not pose:
        pair['mmdet'].append(UpstreamHRFPN(channels, 256))
        pair['ours'].append(HRFPN(channels, 256))
    models: dict[str, nn.Module] = {name: nn.Sequential(*parts) for name, parts in pair.items()}
    randomize(models['mmdet'])
    models['ours'].load_state_dict(models['mmdet'].state_dict())
    if not pose:
        depth = 50 if arch == 'w18' else 101
        models[f'ResNet-{depth}'] = nn.Sequential(
            ResNet(depth, norm_eval=norm_eval), FPN([256, 512, 1024, 2048], 256, num_outs=5))
    return models


def predict(model: nn.Module, images: Tensor) -> Any:
    with torch.no_grad():
        return model(images)


def training_step(model: nn.Module, images: Tensor) -> None:
    model.zero_grad()
    sum(out.square().mean() for out in model(images)).backward()


def kept_bytes(model: nn.Module, images: Tensor) -> int:
    """What a forward pass keeps for the backward pass."""
    own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers(), images)}
    kept: dict[int, int] = {}
    holding = []  # else a storage's address may be given to another

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
            holding.append(tensor)
        return tensor

    with saved_tensors_hooks(pack, lambda tensor: tensor):
        outs = model(images)
    del outs
    return sum(kept.values())


def compare(run: Callable[[nn.Module, Tensor], Any], models: dict[str, nn.Module], images: Tensor,
            rounds: int) -> dict[str, dict[str, float]]:
    """For each, the median of its seconds, and the median over the rounds of mmdet's seconds over its own."""
    timers = {name: Timer('run(model, images)', globals=dict(run=run, model=model, images=images),
                          num_threads=torch.get_num_threads()) for name, model in models.items()}
    for timer in timers.values():
        timer.timeit(1)  # warm
    times = [{name: timer.timeit(1).mean for name, timer in timers.items()} for _ in range(rounds)]
    return {name: dict(seconds=statistics.median(row[name] for row in times),
                       ratio=statistics.median(row['mmdet'] / row[name] for row in times)) for name in timers}


def measure(arch: str, size: tuple[int, int], args: argparse.Namespace) -> dict[str, Any]:
    torch.manual_seed(0)
    models = {name: model.to(args.device)
              for name, model in contestants(arch, size == POSE, args.norm_eval == 'yes').items()}
    images = torch.randn(args.batch, 3, *size, device=args.device)
    for model in models.values():
        model.train(args.train)
    record: dict[str, Any] = dict(arch=arch, size=list(size), batch=args.batch)
    if args.train:
        record['kept'] = {name: kept_bytes(model, images) for name, model in models.items()}
    else:
        record['relative_error'] = max(
            ((a - b).abs().max() / b.abs().max()).item()
            for a, b in zip(predict(models['ours'], images), predict(models['mmdet'], images)))
    record['times'] = compare(training_step if args.train else predict, models, images, args.rounds)
    return record


def show(record: dict[str, Any]) -> None:
    what = f'{record["arch"]} {record["size"][0]} x {record["size"][1]}, batch {record["batch"]}'
    for name, times in record['times'].items():
        line = f'{what}: {name} {times["seconds"]:.3f} s, {times["ratio"]:.2f} times as fast as mmdet\'s'
        if 'kept' in record:
            kept = record['kept']
            line += f', keeps {kept[name] / 2**20:.0f} MiB ({kept[name] / kept["mmdet"]:.2f} of mmdet\'s)'
        print(line, flush=True)


def main() -> None:
    args = parse_args()
    if len(args.size) % 2:
        raise SystemExit(f'speed: --size must be pairs of height and width, got {args.size}')
    sizes = list(zip(args.size[::2], args.size[1::2]))
    records = []
    for arch in args.arch:
        for size in sizes:
            records.append(measure(arch, size, args))
            show(records[-1])
    if args.out is not None:
        setting = dict(device=args.device, processor=platform.processor() or platform.machine(),
                       threads=torch.get_num_threads(), torch=torch.__version__, training=args.train,
                       norm_eval=args.norm_eval, rounds=args.rounds)
        args.out.write_text(json.dumps(dict(setting=setting, records=records), indent=1) + '\n')


if __name__ == '__main__':
    main()
