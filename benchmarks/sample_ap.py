"""Average precision of every detection family on the sample set, compared with ResNet-50-FPN at a small fixed budget.

    hrnet sample-set data/sample
    python benchmarks/sample_ap.py --data-root data/sample

Trains each family twice through ``mim train mmdet``, from random weights:

- with backbone and neck of its sample config: HRNetV2p-W18-small-v1, 1.5 M parameters in the backbone.
- with ResNet-50 (23.5 M parameters) and an FPN of the same width and strides.

Data, iterations, heads and optimizer are the same. ``mim test mmdet`` then evaluates both. Prints a table and writes
``benchmarks/results/sample_ap.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import pprint
import re
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import mmdet
import torch
from mmdet.registry import MODELS
from mmengine.config import Config

from hrnet_plugin.arch import ARCHS
from hrnet_plugin.config_files import cfg, list_configs
from hrnet_plugin.experiments.benchmarking import run_mim

RESULTS = Path(__file__).resolve().parent / 'results' / 'sample_ap.json'
METRICS = ('mAP', 'mAP_50', 'mAP_75', 'mAP_s', 'mAP_m', 'mAP_l')
TITLES = ('AP', 'AP50', 'AP75', 'small', 'medium', 'large')


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('families', nargs='*', help='families, such as fcos htc (default: all)')
    parser.add_argument('--data-root', default='data/sample', help='dataset in COCO format (default: data/sample)')
    parser.add_argument('--epochs', type=int, default=2, help='number of training epochs (default: 2)')
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/sample_ap'),
                        help='folder of the jobs (default: work_dirs/sample_ap)')
    parser.add_argument('--parallel', type=int, default=1,
                        help='number of parallel jobs, which share the cores (default: 1)')
    parser.add_argument('--networks', nargs='+', default=['small', 'r50'], metavar='NETWORK',
                        help="'small' (network of the sample config), 'r50', or an arch of HRNet such as 'w18' "
                             '(default: small r50)')
    parser.add_argument('--out', type=Path, default=RESULTS,
                        help='JSON file to write (default: benchmarks/results/sample_ap.json)')
    args = parser.parse_args(argv)
    known = {name.split('_')[0] for name in list_configs() if name.endswith('_sample')}
    if not set(args.families) <= known:
        parser.error(f'families must be among {", ".join(sorted(known))}, got {", ".join(args.families)}')
    if not set(args.networks) <= {'small', 'r50', *ARCHS}:
        parser.error(f'--networks must be among small, r50, {", ".join(ARCHS)}, got {", ".join(args.networks)}')
    if args.out == RESULTS and (args.families or args.networks != ['small', 'r50']):
        parser.error('a subset of the jobs requires --out, so that the results of all jobs are not overwritten')
    return args


def reference_parts(neck: dict[str, Any]) -> dict[str, Any]:
    """Return ResNet-50 and a neck with the width, levels and strides of the plugin's neck, as config entries."""
    backbone = dict(_delete_=True, type='mmdet.ResNet', depth=50, num_stages=4, out_indices=(0, 1, 2, 3),
                    frozen_stages=-1, norm_cfg=dict(type='BN'), norm_eval=False, style='pytorch')
    width = neck['out_channels']
    if neck['type'] == 'hrnet_plugin.HRNetV2':
        return dict(backbone=backbone, neck=dict(
            _delete_=True, type='mmdet.CTResNetNeck', in_channels=2048, num_deconv_filters=(width, ) * 3,
            num_deconv_kernels=(4, 4, 4), use_dcn=False))
    fpn = dict(_delete_=True, type='mmdet.FPN', in_channels=[256, 512, 1024, 2048], out_channels=width,
               num_outs=neck.get('num_outs', 5), norm_cfg=neck['norm_cfg'])
    if neck.get('stride', 1) == 2:
        fpn.update(start_level=1, add_extra_convs='on_output')
    return dict(backbone=backbone, neck=fpn)


def write_job(name: str, network: str, args: argparse.Namespace) -> Path:
    """Write a config derived from a sample config, with the budget and the network of the job.

    Args:
        name: Name of the sample config.
        network: 'small', 'r50' or an arch of HRNet.
        args: Parsed arguments.

    Returns:
        Path of the config.
    """
    base = Config.fromfile(cfg(name))
    root = os.path.join(os.path.abspath(args.data_root), '')
    steps = dict(begin=0, end=args.epochs)
    entries: dict[str, Any] = dict(
        data_root=root,
        train_dataloader=dict(dataset=_set_data_root(base.train_dataloader.dataset, root)),
        val_dataloader=dict(dataset=dict(data_root=root)),
        test_dataloader=dict(dataset=dict(data_root=root)),
        val_evaluator=dict(ann_file=root + 'annotations/instances_val2017.json'),
        test_evaluator=dict(ann_file=root + 'annotations/instances_val2017.json'),
        train_cfg=dict(max_epochs=args.epochs, val_interval=args.epochs + 1),
        default_hooks=dict(checkpoint=dict(save_best=None)),
        param_scheduler=[
            dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=50),
            dict(type='CosineAnnealingLR', by_epoch=True, T_max=args.epochs, eta_min_ratio=0.01,
                 convert_to_iter_based=True, **steps)],
        randomness=dict(seed=0))
    if network == 'r50':
        entries['model'] = reference_parts(base.model.neck.to_dict())
    elif network != 'small':
        entries['model'] = dict(backbone=dict(arch=network), neck=dict(arch=network))
    path = args.work_dir / f'{name.split("_")[0]}_{network}.py'
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f'{key} = {pprint.pformat(value, width=110, sort_dicts=False)}' for key, value in entries.items()]
    path.write_text('\n'.join([f"_base_ = [__import__('hrnet_plugin').cfg('{name}')]", *lines, '']))
    return path


def _set_data_root(dataset: dict[str, Any], root: str) -> dict[str, Any]:
    # wrappers such as RepeatDataset contain another dataset
    return dict(dataset=_set_data_root(dataset['dataset'], root)) if 'dataset' in dataset else dict(data_root=root)


def run_job(path: Path, threads: int) -> dict[str, Any]:
    """Train and test one job through mim, and return its record."""
    work = path.with_suffix('')
    env = {**os.environ, 'OMP_NUM_THREADS': str(threads), 'MKL_NUM_THREADS': str(threads)}
    start = time.monotonic()
    run_mim(['train', 'mmdet', str(path), '--work-dir', str(work)], env)
    seconds = time.monotonic() - start
    checkpoint = (work / 'last_checkpoint').read_text().strip()
    out = run_mim(['test', 'mmdet', str(path), '--checkpoint', checkpoint, '--work-dir', str(work / 'test')], env)
    figures = {key: float(value) for key, value in re.findall(r'coco/(\w+): (-?[\d.]+)', out)}
    if not figures and 'testing results of the whole dataset is empty' in out:
        figures = {f'bbox_{metric}': 0. for metric in METRICS}  # mmdet prints no metrics without detections
    with torch.device('meta'):
        backbone = MODELS.build(Config.fromfile(path).model.backbone)
    print(f'{path.stem}: AP {figures["bbox_mAP"]:.3f}, {seconds:.0f} s', flush=True)
    return dict(job=path.stem, seconds=round(seconds), figures=figures,
                backbone_parameters=sum(weights.numel() for weights in backbone.parameters()))


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the rows as a Markdown table, in percent."""
    lines = ['| job | ' + ' | '.join(TITLES) + ' | mask AP |', '|---|' + '---|' * (len(TITLES) + 1)]
    for row in rows:
        box = [f'{100 * row["figures"][f"bbox_{metric}"]:.1f}' for metric in METRICS]
        mask = row['figures'].get('segm_mAP')
        lines.append(f'| {row["job"]} | ' + ' | '.join(box) + f' | {"-" if mask is None else f"{100 * mask:.1f}"} |')
    return '\n'.join(lines)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    names = [name for name in list_configs() if name.endswith('_sample')
             and (not args.families or name.split('_')[0] in args.families)]
    jobs = [write_job(name, network, args) for name in names for network in args.networks]
    threads = max(1, (os.cpu_count() or 1) // args.parallel)
    with ThreadPoolExecutor(args.parallel) as pool:
        rows = list(pool.map(lambda job: run_job(job, threads), jobs))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(dict(
        command='python benchmarks/sample_ap.py ' + ' '.join(argv if argv is not None else sys.argv[1:]),
        epochs=args.epochs, cpu_cores=os.cpu_count(), machine=platform.machine(), python=platform.python_version(),
        torch=torch.__version__, mmdet=mmdet.__version__, rows=rows), indent=2) + '\n')
    print(table(rows))


if __name__ == '__main__':
    main()
