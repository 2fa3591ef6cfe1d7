"""Predict on images, folders and videos.

    hrnet predict MODEL SOURCE --checkpoint FILE [options]

MODEL is the name of a shipped config or the path of any config of mmdet,
mmpose or mmsegmentation. An exported file needs no checkpoint. SOURCE is an
image, a folder of images, a pattern such as 'photos/**/*.jpg', or a video.
Prints one line per image, and writes visualizations and predictions.json to
the folder of --out.

Pose estimators predict one person that fills the image, unless --detector or
--boxes is given.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmengine.logging import MMLogger

from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.progress import progress
from hrnet_plugin.cli.termination import interrupted_by_sigterm
from hrnet_plugin.escaping import escape_controls
from hrnet_plugin.execution.engines import ENGINES
from hrnet_plugin.json_files import read_object
from hrnet_plugin.prediction.load import load
from hrnet_plugin.prediction.output_folder import output_folder
from hrnet_plugin.prediction.predictor import Predictor, check_boxes
from hrnet_plugin.prediction.sources import InputImage, Source, open_source
from hrnet_plugin.prediction.summary import summarize
from hrnet_plugin.results.prediction import SCORE_THRESHOLD


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('predict', __doc__)
    parser.add_argument('model', metavar='MODEL', help='config, or exported file (.onnx, .xml or .pt2)')
    parser.add_argument('source', metavar='SOURCE', help='image, folder, pattern or video')
    parser.add_argument('--checkpoint', metavar='FILE', help='path or address of the checkpoint of a config')
    parser.add_argument('--out', type=Path, metavar='FOLDER',
                        help='write visualizations and predictions.json to this folder, which must be missing or empty')
    parser.add_argument('--json', action='store_true', help='print one JSON object per image')
    parser.add_argument('--batch-size', type=int, default=1, metavar='N', help='images per batch (default: 1)')
    parser.add_argument('--device', help='torch device (default: the first GPU if there is one, else the CPU)')
    parser.add_argument('--engine', choices=ENGINES, help='inference engine (default: the eager model)')
    parser.add_argument('--score-threshold', type=float, default=SCORE_THRESHOLD, metavar='SCORE',
                        help='minimum score of objects that are printed and written, and of keypoints that are drawn '
                             f'(default: {SCORE_THRESHOLD})')
    persons = parser.add_argument_group('persons for pose estimators').add_mutually_exclusive_group()
    persons.add_argument('--detector', metavar='MODEL', help='detector of persons')
    persons.add_argument('--boxes', type=Path, metavar='FILE.json',
                         help='JSON object: name of each image below the folder of SOURCE -> list of boxes '
                              '[x1, y1, x2, y2]')
    parser.add_argument('--detector-checkpoint', metavar='FILE', help='path or address of its checkpoint')
    args = parser.parse_args(argv)
    if args.batch_size < 1:
        parser.error(f'--batch-size must be at least 1, got {args.batch_size}')
    if not 0 <= args.score_threshold <= 1:
        parser.error(f'--score-threshold must be between 0 and 1, got {args.score_threshold}')
    if args.detector_checkpoint and not args.detector:
        parser.error('--detector-checkpoint requires --detector')
    return args


def load_predictor(args: argparse.Namespace, source: Source) -> Predictor:
    """Load the model, and the detector of persons if there is one."""
    options: dict[str, Any] = dict(device=args.device, engine=args.engine, expected_images=source.total)
    with progress('loading the model'):
        detector = None if args.detector is None else load(args.detector, args.detector_checkpoint, **options)
        return load(args.model, args.checkpoint, detector=detector, **options)


def with_boxes(source: Source, file: Path) -> Iterator[InputImage]:
    """Yield the images of a source with the boxes of a file.

    Args:
        source: Source of images.
        file: JSON object, name of an image -> list of boxes.

    Raises:
        OSError, ValueError: If the file is missing or invalid, or lacks an image.
    """
    boxes = read_object(file, 'a JSON object of boxes by image name')
    for image in source:
        if image.relative not in boxes:
            raise ValueError(f'{file} must have an entry for each image, got none for {image.relative!r}. Give an '
                             'empty list for an image without persons')
        try:
            yield replace(image, boxes=check_boxes(boxes[image.relative]))
        except (TypeError, ValueError) as error:
            raise ValueError(f'{file}, image {image.relative!r}: {error}') from None


def log_warnings_only() -> None:
    """Log only warnings, and to stderr, since stdout has one line per image."""
    logger = MMLogger.get_current_instance()
    logger.setLevel(logging.WARNING)
    for handler in logger.handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stdout:
            handler.setStream(sys.stderr)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    log_warnings_only()
    source = open_source(args.source)
    images = source if args.boxes is None else with_boxes(source, args.boxes)
    output = nullcontext() if args.out is None else output_folder(args.out, source.video)
    total = '' if source.total is None else f'/{source.total}'
    with interrupted_by_sigterm(), output as folder:
        predictor = load_predictor(args, source)
        found = predictor.predict_images(images, args.batch_size)
        for number, (image, prediction) in enumerate(found, 1):
            shown = prediction.above(args.score_threshold)
            if folder is not None:
                folder.add(image, shown, args.score_threshold)
            print_text(shown.to_json() if args.json else
                       escape_controls(f'{number}{total} {image.name}: {summarize(shown)}'))
