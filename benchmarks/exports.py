"""Parity and speed of exported whole models: each family in each format, beside eager PyTorch and the engine.

    python benchmarks/exports.py [--families faster-rcnn fcn ...] [--work-dirs FOLDER] [--rounds 5] [--out FILE.json]

The export compares each model with PyTorch on images at three sizes, in a batch of one or two. One of the sizes is no
multiple of 32. Then all predict the same image in turns, from the array to boxes, masks, keypoints or labels in
pixels of the image. The weights are those of ``FOLDER/CONFIG/last_checkpoint``, or random ones without it.
Prints a table in Markdown. Ratios are times as fast as eager PyTorch, medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from hrnet_plugin import load
from hrnet_plugin.config_files import find_config
from hrnet_plugin.experiments.benchmarking import describe, random_weights, time_interleaved
from hrnet_plugin.experiments.sample_set import write_sample_set
from hrnet_plugin.export.export import ExportReport, export_model
from hrnet_plugin.export.targets.formats import TARGETS

SAMPLE = '{}_hrnetv2p-w18-small-v1_sample'
#: Family -> config of the sample set.
CONFIGS = {
    **{family: SAMPLE.format(family) for family in (
        'faster-rcnn', 'cascade-rcnn', 'mask-rcnn', 'cascade-mask-rcnn', 'fcos', 'retinanet', 'atss', 'gfl')},
    'pose, V1': 'td-hm_hrnetv1-w18-small-v1_sample', 'pose, V2': 'td-hm_hrnetv2-w18-small-v1_sample',
    'fcn': 'fcn_hrnetv2-w18-small-v1_sample', 'ocr': 'ocr_hrnetv2-w18-small-v1_sample'}
EAGER, ENGINE = 'eager', 'engine'
Predict = Callable[[], Any]


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--families', nargs='+', choices=CONFIGS, default=list(CONFIGS), metavar='FAMILY',
                        help='families to measure (default: all)')
    parser.add_argument('--work-dirs', type=Path, metavar='FOLDER', help='folder of work directories named by config')
    parser.add_argument('--rounds', type=int, default=5, help='number of measurements per model (default: 5)')
    parser.add_argument('--out', type=Path, metavar='FILE.json', help='write all figures to this file')
    return parser.parse_args(argv)


def find_checkpoint(name: str, config: Config, work_dirs: Path | None, scratch: Path) -> tuple[str, bool]:
    """Return the path of a checkpoint, and whether its weights are trained."""
    last = None if work_dirs is None else work_dirs / name / 'last_checkpoint'
    if last is not None and last.is_file():
        return str(last.parent / Path(last.read_text().strip()).name), True
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope(config.default_scope):
        model = random_weights(MODELS.build(config.model))
    path = scratch / f'{name}.pth'
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)
    return str(path), False


def measure_family(name: str, work_dirs: Path | None, image: Any, rounds: int, scratch: Path) -> dict[str, Any]:
    """Export a model to all formats, and measure its predictions on an image.

    Returns:
        Record of the family: ``trained``, ``parity`` and ``seconds_of_export`` by format, and ``times`` by runtime.
    """
    config = find_config(name)
    checkpoint, is_trained = find_checkpoint(name, config, work_dirs, scratch)
    predictors = {EAGER: load(name, checkpoint, device='cpu'),
                  ENGINE: load(name, checkpoint, device='cpu', engine='auto', expected_images=10**6)}
    parity, seconds = {}, {}
    for title, target in TARGETS.items():
        begin, file = time.perf_counter(), scratch / f'{name}{target.runtime.suffixes[0]}'
        try:
            report = export_model(find_config(name), checkpoint, target, file)
        except ValueError as error:  # the models differ
            parity[title] = dict(refused=str(error))
            print(f'{name}, {title}: {error}', flush=True)
            continue
        seconds[title] = time.perf_counter() - begin
        parity[title] = describe_parity(report)
        predictors[title] = load(report.files[0])
    runs: Mapping[str, Predict] = {title: partial(predictor, image) for title, predictor in predictors.items()}
    return dict(trained=is_trained, parity=parity, seconds_of_export=seconds, times=time_interleaved(runs, rounds))


def describe_parity(report: ExportReport) -> dict[str, Any]:
    """Return the compared results, their largest differences, and the sizes of the images."""
    tally = report.tally
    return dict(compared=dict(tally.compared), largest={key: float(value) for key, value in tally.largest.items()},
                near_ties=tally.unstable, sizes=list(report.sizes))


def row(family: str, record: Mapping[str, Any]) -> str:
    """Return the table row of a family."""
    parity = [one for one in record['parity'].values() if 'refused' not in one]
    number = {what: min(one['compared'].get(what, 0) for one in parity) for one in parity for what in one['compared']}
    largest = {what: max(one['largest'].get(what, 0) for one in parity) for one in parity for what in one['largest']}
    times = record['times']
    cells = [family, 'trained' if record['trained'] else 'random',
             ', '.join(f'{count} {what}' for what, count in number.items() if count) or 'nothing',
             ', '.join(f'{what.replace("_", " ")} {value:.1g}' for what, value in largest.items()),
             f'{times[EAGER]["seconds"] * 1000:.0f} ms',
             *(f'{times[title]["ratio"]:.2f}' if title in times else 'refused' for title in (ENGINE, *TARGETS))]
    return f'| {" | ".join(cells)} |'


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    titles = ['family', 'weights', 'compared', 'largest difference', EAGER, ENGINE, *TARGETS]
    print(f'| {" | ".join(titles)} |\n|{"---|" * len(titles)}', flush=True)
    records: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        write_sample_set(Path(folder, 'sample'), train=1, val=1)
        path, = Path(folder, 'sample', 'val2017').glob('*.png')
        image = cv2.imread(str(path))
        for family in args.families:
            records[family] = measure_family(CONFIGS[family], args.work_dirs, image, args.rounds, Path(folder))
            print(row(family, records[family]), flush=True)
    if args.out is not None:
        setting = dict(describe('cpu'), rounds=args.rounds, image=list(image.shape[:2]))
        args.out.write_text(json.dumps(dict(setting=setting, families=records), indent=1) + '\n')


if __name__ == '__main__':
    main()
