"""Readers of files that may come from strangers, with valid files to mutate. A new reader is a line in TARGETS."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import pickle
import random
import socket
import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

import cv2
import fuzz_configs
import numpy as np
import torch
from fuzz_mutations import (
    HTTP_TOKENS,
    JSON_TOKENS,
    PICKLE_TOKENS,
    TEXT_TOKENS,
    mutate_bytes,
    mutate_json,
    mutate_safetensors,
    mutate_zip,
)
from safetensors.torch import save as save_safetensors

from hrnet_plugin.evaluation.leaderboard.ranking import Board
from hrnet_plugin.experiments.sample_set import write_sample_set


@dataclass(frozen=True)
class Target:
    """Reader of a kind of file.

    Attributes:
        name: Name on the command line.
        corpus: Function of the folder of valid data that returns valid files.
        read: Function that reads a file. Its arguments are the file and the folder of valid data.
        suffix: End of the file name.
        tokens: Words of the format, which are inserted.
        structured: Mutation of the structure, used for half of the inputs.
        refusals: Types of documented errors.
    """
    name: str
    corpus: Callable[[Path], Sequence[bytes]]
    read: Callable[[Path, Path], object]
    suffix: str = '.json'
    tokens: Sequence[bytes] = JSON_TOKENS
    structured: Callable[[random.Random, bytes], bytes] | None = mutate_json
    refusals: tuple[type[BaseException], ...] = field(default=(ValueError, OSError))

    def make_input(self, seed: int, folder: Path) -> bytes:
        """Return the input of a seed: a mutated file of the corpus."""
        source = random.Random(f'{self.name} {seed}')
        if self.name == 'config':
            return str(seed).encode()  # the seed determines the config
        corpus = _corpus(self, folder)
        data = source.choice(corpus)
        if self.structured is not None and source.random() < 0.5:
            return self.structured(source, data)
        return mutate_bytes(source, data, self.tokens, corpus)


@cache
def _corpus(target: Target, folder: Path) -> Sequence[bytes]:
    return target.corpus(folder)


# ---- valid data

def write_data(folder: Path) -> None:
    """Write the valid data, from which the corpora are made, to an empty folder."""
    root = write_sample_set(folder / 'sample', 1, 2, 64, 64)
    truth = json.loads((root / 'annotations' / 'instances_val2017.json').read_text())
    keep = dict(truth, categories=truth['categories'][:4])
    known = {category['id'] for category in keep['categories']}
    keep['annotations'] = [box for box in truth['annotations'] if box['category_id'] in known] or [
        dict(truth['annotations'][0], category_id=keep['categories'][0]['id'])]
    (folder / 'truth.json').write_text(json.dumps(keep))
    found = [dict(image_id=box['image_id'], category_id=box['category_id'], bbox=box['bbox'], score=0.5)
             for box in keep['annotations']]
    (folder / 'results.json').write_text(json.dumps(found))
    masks = [dict(row, segmentation=dict(size=[64, 64], counts='PPP`1')) for row in found]
    (folder / 'masks.json').write_text(json.dumps(masks))
    _write_comparison(folder)
    _write_store(folder)
    (folder / 'maps').mkdir()
    cv2.imwrite(str(folder / 'maps' / 'a.png'), np.arange(64, dtype=np.uint8).reshape(8, 8) % 4)
    (folder / 'a.pth').write_bytes(_checkpoint(zip_format=True))


def _write_comparison(folder: Path) -> None:
    from hrnet_plugin.evaluation.analysis.analyze import analyze
    from hrnet_plugin.evaluation.analysis.files import write_analyses
    from hrnet_plugin.evaluation.coco_evaluation import run_evaluation
    from hrnet_plugin.evaluation.comparison.compare import compare
    from hrnet_plugin.evaluation.comparison.files import write_comparison
    with contextlib.redirect_stdout(io.StringIO()):
        found = compare(folder / 'truth.json', folder / 'results.json', folder / 'results.json', draws=5)
        write_comparison(found, folder / 'comparison')
        evaluation = run_evaluation(folder / 'truth.json', folder / 'results.json')
    write_analyses(folder / 'a', {'bbox': analyze(evaluation)})


def _write_store(folder: Path) -> None:
    from hrnet_plugin.evaluation.leaderboard.facts import Conditions, Cost, DataFacts, ModelFacts, Scores
    from hrnet_plugin.evaluation.leaderboard.record import Record
    from hrnet_plugin.evaluation.leaderboard.store import ResultStore
    ResultStore(folder / 'store.sqlite').append(Record(
        task='detection', config='mine', data=DataFacts(data='COCO', split='val2017', images=5000),
        scores=Scores(metrics={'AP': 0.3, 'APs': None}, classes={'AP': {'cat': 0.25}}),
        model=ModelFacts(method='Faster R-CNN'), cost=Cost(params=2.5, unit='u'), conditions=Conditions(ms=12.5),
        config_text='a = 1\n', config_sha256='ab', checkpoint='x.pth', checkpoint_sha256='cd'))


@cache
def _weights() -> dict[str, torch.Tensor]:
    from hrnet_plugin.models import HRNet
    with torch.device('meta'):
        state = HRNet(fuzz_configs.TINY).state_dict()
    return {key: torch.zeros(value.shape, dtype=value.dtype) for key, value in state.items()}


def _checkpoint(zip_format: bool) -> bytes:
    out = io.BytesIO()
    state = {f'backbone.{key}': value for key, value in _weights().items()}
    torch.save(dict(state_dict=state, meta=dict(epoch=1, dataset_meta=dict(classes=('a', 'b')))), out,
               _use_new_zipfile_serialization=zip_format)
    return out.getvalue()


def prepare() -> None:
    """Import what the readers need, so that processes share it and the first input is not slow."""
    _types()
    for module in ('hrnet_plugin.cli.compare', 'hrnet_plugin.cli.inspect_checkpoint', 'hrnet_plugin.cli.leaderboard',
                   'hrnet_plugin.cli.report', 'hrnet_plugin.image_headers', 'PIL.Image',
                   'hrnet_plugin.experiments.reproduction.rows_file', 'hrnet_plugin.checkpoints.downloads'):
        import_module(module)


# ---- readers

def _compare(results: Path, folder: Path, kind: str = 'bbox', truth: Path | None = None) -> None:
    from hrnet_plugin.evaluation.coco_evaluation import run_evaluation
    with contextlib.redirect_stdout(io.StringIO()):
        run_evaluation(truth or folder / 'truth.json', results, kind)


def _read_truth(file: Path, folder: Path) -> None:
    _compare(folder / 'results.json', folder, truth=file)


def _scan_truth(file: Path, folder: Path) -> None:
    from hrnet_plugin.data_checks.coco_file import read_coco_file
    read_coco_file(file, masks=True)


def _read_analyses(file: Path, folder: Path) -> None:
    from hrnet_plugin.evaluation.analysis.files import read_analyses
    read_analyses(file)


def _read_comparison(file: Path, folder: Path) -> None:
    from hrnet_plugin.cli.leaderboard import read_comparison
    read_comparison(file)


def _read_log(file: Path, folder: Path) -> None:
    from hrnet_plugin.evaluation.run_evaluations import read_evaluations
    from hrnet_plugin.training.run_logs import read_scalars
    target = file.parent / 'work' / '20250101_000000' / 'vis_data' / 'scalars.json'
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(file.read_bytes())
    read_evaluations(read_scalars(file.parent / 'work'))


def _read_checkpoint(file: Path, folder: Path) -> None:
    from hrnet_plugin.checkpoints.families.recognition import recognize
    from hrnet_plugin.checkpoints.file import read
    recognize(read(file))


def _read_store(file: Path, folder: Path) -> list[Board]:
    from hrnet_plugin.evaluation.leaderboard.local_results import local_entries
    from hrnet_plugin.evaluation.leaderboard.ranking import rank
    from hrnet_plugin.evaluation.leaderboard.tables import as_csv, markdown
    board = rank(local_entries([file]))
    markdown(board)
    as_csv(board)
    return board


def _read_store_row(file: Path, folder: Path) -> None:
    """Read a store whose facts are the content of a file."""
    store = file.with_suffix('.sqlite')
    store.write_bytes((folder / 'store.sqlite').read_bytes())
    with contextlib.closing(sqlite3.connect(store)) as database:
        database.execute('PRAGMA synchronous = OFF')
        database.execute('DROP TRIGGER records_UPDATE')
        database.execute('UPDATE records SET facts = ?', [file.read_bytes().decode(errors='replace')])
        database.commit()
    if not _read_store(store, folder):
        raise ValueError('the row is left out')


def _facts(folder: Path) -> list[bytes]:
    with contextlib.closing(sqlite3.connect(folder / 'store.sqlite')) as database:
        return [database.execute('SELECT facts FROM records').fetchone()[0].encode()]


def _read_rows(file: Path, folder: Path) -> None:
    from hrnet_plugin.experiments.reproduction.rows_file import read_rows
    read_rows(file)


def _read_label_map(file: Path, folder: Path) -> None:
    from hrnet_plugin.evaluation.comparison.segmentation import LabelOptions, evaluate_label_maps
    predictions = file.parent / 'predictions'
    predictions.mkdir(exist_ok=True)
    (predictions / 'a.png').write_bytes(file.read_bytes())
    evaluate_label_maps(folder / 'maps', [predictions], LabelOptions(classes=list('abcd')))


def _read_predictions(file: Path, folder: Path) -> None:
    from hrnet_plugin.evaluation.comparison.label_maps import LabelMaps
    maps = LabelMaps(file)
    for name in maps.names:
        maps.read(name)


def _predictions(folder: Path) -> list[bytes]:
    sample = dict(img_path='a.jpg', pred_sem_seg=dict(data=torch.zeros(1, 8, 8, dtype=torch.int64)), flip=False)
    return [pickle.dumps([sample, dict(sample, img_path='b.jpg')], protocol) for protocol in (2, 4)]


def _read_image(file: Path, folder: Path) -> None:
    from hrnet_plugin.image_headers import read_header
    read_header(file)


def _read_rle(file: Path, folder: Path) -> None:
    from hrnet_plugin.evaluation.rle import decode_counts, rle_error
    try:
        rle = json.loads(file.read_bytes())
    except RecursionError as error:  # of this script, not of the reader
        raise ValueError('the JSON must not be nested deeply') from error
    if not rle_error(rle, 64, 64):
        decode_counts(rle['counts'])


def _download(file: Path, folder: Path) -> None:
    """Download from a server whose answer is the content of a file."""
    from hrnet_plugin.checkpoints.downloads import cache_path, fetch
    with socket.create_server(('127.0.0.1', 0)) as server:
        threading.Thread(target=_answer, args=(server, file.read_bytes()), daemon=True).start()
        url = f'http://127.0.0.1:{server.getsockname()[1]}/model.pth'
        try:
            fetch(url)
        finally:
            server.shutdown(socket.SHUT_RDWR)  # ends the thread
            cache_path(url).unlink(missing_ok=True)


def _answer(server: socket.socket, content: bytes) -> None:
    with contextlib.suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(1)
                connection.recv(65536)
                connection.sendall(content)


def _answers(folder: Path) -> list[bytes]:
    body = _checkpoint(zip_format=True)
    return [b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Type: application/zip\r\n\r\n' % len(body) + body]


def _read_metadata(file: Path, folder: Path) -> None:
    from hrnet_plugin.prediction.metadata_json import metadata_from_json
    metadata_from_json(file.read_bytes(), str(file))


def _metadata(folder: Path) -> list[bytes]:
    from hrnet_plugin.prediction.metadata import ExportMetadata, Resizing, Sliding
    from hrnet_plugin.prediction.metadata_json import metadata_to_json
    from hrnet_plugin.results.dataset_meta import DatasetMeta
    common: dict[str, Any] = dict(model='M', config='c', channels=3, channel_order='RGB')
    keypoints = DatasetMeta(keypoints=('a', 'b'), skeleton=((0, 1), ), sigmas=(.1, .2))
    return [metadata_to_json(metadata).encode() for metadata in (
        ExportMetadata(task='detection', outputs=('boxes', 'scores', 'labels', 'counts', 'masks'), mask_threshold=.5,
                       resizing=Resizing(mode='keep_ratio', size=(64, 48)), meta=DatasetMeta(
                           classes=('a', ), palette=((1, 2, 3), )), **common),
        ExportMetadata(task='pose', outputs=('keypoints', 'scores'), meta=keypoints,
                       resizing=Resizing(mode='person', size=(48, 64)), **common),
        ExportMetadata(task='segmentation', outputs=('logits', ), resizing=Resizing(mode='none'), meta=DatasetMeta(
            classes=('a', 'b')), sliding=Sliding(crop_size=(32, 32), stride=(16, 16)), **common))]


def _build_config(file: Path, folder: Path) -> None:
    types = _types()
    registry, config, names = fuzz_configs.mutate(int(file.read_bytes()), types)
    try:
        fuzz_configs.build(registry, config)
    except Exception as error:
        ours = str(config.get('type')).startswith('hrnet_plugin.')
        if not ours:
            raise ValueError('mmengine must know the type') from error
        if fuzz_configs.describe(error, config['type'], names) != 'both':
            raise AssertionError(f'the error must name type and option: {error}') from error
        raise


@cache
def _types() -> list[Any]:
    return list(fuzz_configs.registered())


def _run_command(file: Path, folder: Path) -> None:
    from hrnet_plugin.cli.main import run
    words = file.read_bytes().decode(errors='surrogateescape').split('\n')
    errors = io.StringIO()
    os.chdir(file.parent)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(errors):
        try:
            code = run(words)
        except SystemExit as stop:  # of argparse
            code = stop.code
    if code not in (0, 2) or 'Traceback' in errors.getvalue():
        raise AssertionError(f'the exit code must be 0 or 2, got {code!r}: {errors.getvalue()[-500:]}')
    if code == 2:
        raise argparse.ArgumentError(None, errors.getvalue()[-500:].strip().splitlines()[-1])


def _command_lines(folder: Path) -> list[bytes]:
    lines = (['compare', 'results.json', 'results.json', '--annotations', 'truth.json', '--draws', '3'],
             ['inspect', 'a.pth'], ['leaderboard', '--store', 'store.sqlite', '--top', '2'], ['report', 'work'],
             ['leaderboard', '--store', 'store.sqlite', '--source', 'own', '--by', 'AP'], ['config', 'sample'])
    return ['\n'.join(str(folder / word) if (folder / word).exists() else word for word in words).encode()
            for words in lines]


def _files(*names: str) -> Callable[[Path], list[bytes]]:
    return lambda folder: [(folder / name).read_bytes() for name in names]


_ROWS = b'name,config,checkpoint,sha256,images,AP\na,faster-rcnn_hrnetv2p-w18_1x_coco,a.pth,0123abcd,500,0.36\n'
_LOG = b'{"loss": 0.5, "epoch": 1, "iter": 1, "step": 1}\n{"coco/bbox_mAP": 0.1, "step": 1}\n'
_CHECKPOINTS = dict(tokens=PICKLE_TOKENS, refusals=(ValueError, OSError))

TARGETS: dict[str, Target] = {target.name: target for target in (
    Target('results', _files('results.json'), _compare),
    Target('masks', _files('masks.json'), partial(_compare, kind='segm')),
    Target('truth', _files('truth.json'), _read_truth),
    Target('data-check', _files('truth.json'), _scan_truth),
    Target('analyses', _files('a.analysis.json'), _read_analyses),
    Target('comparison', _files('comparison/comparison.json'), _read_comparison),
    Target('log', lambda folder: [_LOG], _read_log, structured=None),
    Target('rle', lambda folder: [b'{"size": [64, 64], "counts": "PPP`1"}', b'{"size": [4, 4], "counts": [4, 12]}'],
           _read_rle),
    Target('pth', lambda folder: [_checkpoint(True)], _read_checkpoint, '.pth', structured=mutate_zip, **_CHECKPOINTS),
    Target('legacy-pth', lambda folder: [_checkpoint(False)], _read_checkpoint, '.pth', structured=None,
           **_CHECKPOINTS),
    Target('safetensors', lambda folder: [save_safetensors(_weights())],
           _read_checkpoint, '.safetensors', structured=mutate_safetensors),
    Target('store', _files('store.sqlite'), _read_store, '.sqlite', TEXT_TOKENS, None,
           (ValueError, OSError, sqlite3.Error)),
    Target('store-row', _facts, _read_store_row, refusals=(ValueError, OSError, sqlite3.Error)),
    Target('download', _answers, _download, '.http', HTTP_TOKENS, None),
    Target('config', lambda folder: [b'0'], _build_config, '.txt',
           refusals=(TypeError, ValueError, RuntimeError, KeyError)),
    Target('rows', lambda folder: [_ROWS], _read_rows, '.csv', TEXT_TOKENS, None),
    Target('label-map', _files('maps/a.png'), _read_label_map, '.png', (), None),
    Target('predictions', _predictions, _read_predictions, '.pkl', structured=None, **_CHECKPOINTS),
    Target('image', lambda folder: [path.read_bytes() for path in (folder / 'sample' / 'val2017').iterdir()],
           _read_image, '.png', (), None),
    Target('export-metadata', _metadata, _read_metadata),
    Target('command', _command_lines, _run_command, '.txt', TEXT_TOKENS, None, (argparse.ArgumentError, )),
)}
