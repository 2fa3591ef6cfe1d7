"""Export a model to ONNX, OpenVINO or torch.export.

    hrnet export CONFIG --checkpoint FILE --to onnx [--out FILE]
    hrnet export CONFIG --checkpoint FILE --to onnx --verify
    hrnet export CONFIG --checkpoint FILE --to onnx --part network

The exported model includes normalization, padding, decoding and NMS, and takes
images of any size. It is compared with PyTorch on images at three sizes. If a
result differs, nothing is written. Backbone and neck alone can be exported for
all models: --part network.

With --verify, the test_evaluator of the config then evaluates PyTorch and the
written file on the test data. Differences of metrics are reported only.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.progress import progress
from hrnet_plugin.cli.run_options import add_config_options, override_entries
from hrnet_plugin.config_files import find_config
from hrnet_plugin.export.export import PARTS, ExportReport, export_model
from hrnet_plugin.export.targets.formats import TARGETS
from hrnet_plugin.export.verification.data import VerificationData
from hrnet_plugin.export.verification.quiet import quiet
from hrnet_plugin.export.verification.text import verification_text
from hrnet_plugin.export.verification.verify import verify
from hrnet_plugin.prediction.exported_predictor import ExportedPredictor
from hrnet_plugin.prediction.model import load_model
from hrnet_plugin.prediction.torch_predictor import TorchPredictor


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('export', __doc__)
    add_config_options(parser)
    parser.add_argument('--checkpoint', required=True, help='path or address of a checkpoint')
    parser.add_argument('--to', required=True, choices=TARGETS, help='format of the exported model')
    parser.add_argument('--out', type=Path, metavar='FILE',
                        help='file to write (default: CONFIG with the suffix of the format, in this folder)')
    parser.add_argument('--part', choices=PARTS, default='model',
                        help='whole model, or network for backbone and neck (default: model)')
    parser.add_argument('--verify', action='store_true',
                        help='evaluate PyTorch and the written file on the test data of the config')
    args = parser.parse_args(argv)
    if args.verify and args.part != 'model':
        parser.error(f'--verify requires --part model, got {args.part}')
    suffix = TARGETS[args.to].runtime.suffixes[0]
    if args.out is not None and args.out.suffix != suffix:
        parser.error(f'--out must end in {suffix} for --to {args.to}, got {str(args.out)!r}')
    return args


def summary(report: ExportReport) -> str:
    """Return the files, and the results that were compared, one per line."""
    tally = report.tally
    size = sum(file.stat().st_size for file in report.files) / 2**20
    compared = ', '.join(f'{number} {what}' for what, number in tally.compared.items() if number) or 'nothing'
    lines = [f'{report.files[0]}: {report.metadata.model}, {report.metadata.task}, {size:.1f} MiB',
             f'compared with PyTorch on images of {", ".join(report.sizes)} pixels: {compared}']
    if tally.largest and compared != 'nothing':
        lines.append('largest differences: ' + ', '.join(
            f'{name.replace("_", " ")} {value:.2g}' for name, value in tally.largest.items()))
    if tally.unstable:
        lines.append(f'{tally.unstable} near-ties were accepted: PyTorch does not keep these results, either, after a '
                     'change of the pixels by 1e-5')
    if report.threshold is not None:
        lines.append('PyTorch detects nothing in these images. Both models were compared with a score threshold of '
                     f'{report.threshold:g}')
    if compared == 'nothing':
        lines.append('warning: boxes, scores and labels were not compared')
    return '\n'.join(lines)


def verify_export(data: VerificationData, checkpoint: str, report: ExportReport) -> str:
    """Evaluate a model and its written file, and return the results, one per line.

    Args:
        data: Test data.
        checkpoint: Path or address of the checkpoint.
        report: Result of the export.
    """
    with quiet():  # the export has logged the same
        model = TorchPredictor(data.config, load_model(data.config, checkpoint))
    return verification_text(verify(data, model, ExportedPredictor(report.files[0])))


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    target = TARGETS[args.to]
    config = find_config(args.config)
    override_entries(config, args)
    out = args.out or Path(f'{Path(config.filename).stem}{target.runtime.suffixes[0]}')
    name = Path(config.filename).stem
    data = VerificationData(config) if args.verify else None  # so that missing data is known before the export
    with progress(f'exporting {name} and comparing it with PyTorch'):
        report = export_model(config, args.checkpoint, target, out, args.part)
    print_text(summary(report))
    if data is not None:
        with progress(f'evaluating {name} and {out} on {len(data)} samples'):
            verified = verify_export(data, args.checkpoint, report)
        print_text(verified)
