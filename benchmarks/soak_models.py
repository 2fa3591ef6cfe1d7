"""Models and operations of the soak: what a long-running service, and a series of evaluations, do with the plugin."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from copy import deepcopy
from itertools import product
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner, load_checkpoint
from torch import Tensor, nn
from torch.nn import functional as F

from hrnet_plugin.cli.main import run
from hrnet_plugin.config_files import find_config, relocate_data
from hrnet_plugin.evaluation.leaderboard.store import ResultStore
from hrnet_plugin.execution import optimize_for_inference, restore_eager
from hrnet_plugin.experiments.sample_set import write_sample_set
from hrnet_plugin.training.launch import make_runner

CONFIGS = ('faster-rcnn_hrnetv2p-w18-small-v1_sample', 'td-hm_hrnetv1-w18-small-v1_sample',
           'fcn_hrnetv2-w18-small-v1_sample')
ENGINES = ('eager', 'torch', 'onnxruntime', 'openvino', 'auto')
LASTING = ('torch', 'onnxruntime', 'openvino')  # engines of copies, which are never switched
SIZES = ((64, 64), (96, 64), (96, 128), (128, 160))
BATCHES = (1, 2, 3)
_STATES = 3  # checkpoints per model
_MOST_RECORDS = 20  # a page is as large as its store, so that a new store is started


class SoakModel:
    """Model of a host with its dataset, checkpoints and records.

    Args:
        name: Name of a shipped config of the sample set.
        data: Folder of the sample set.
        folder: Folder for outputs.
    """

    def __init__(self, name: str, data: Path, folder: Path) -> None:
        config = find_config(name)
        config.merge_from_dict(relocate_data(config, str(data)))
        self.scope: str = config.default_scope
        self.folder, self.store = folder / name, folder / 'leaderboard.sqlite'
        self._configure(config)
        self.runner: Runner = make_runner(config)
        self.model: nn.Module = self.runner.model
        with DefaultScope.overwrite_default_scope(self.scope):
            self.runner.test()  # loads datasets and prepares the metrics
        self.samples: list[dict[str, Any]] = [self.runner.test_dataloader.dataset[k] for k in range(max(BATCHES))]
        self.states = [self._write_state(k) for k in range(_STATES)]
        self.engine = 'eager'

    def _configure(self, config: Config) -> None:
        config.work_dir = str(self.folder)
        config.log_level = 'ERROR'
        config.test_dataloader.num_workers = 0
        config.test_dataloader.persistent_workers = False
        config.custom_hooks = [dict(type='hrnet_plugin.RecordHook', store=str(self.store))]

    def _write_state(self, k: int) -> Path:
        torch.manual_seed(k)
        changed = {name: value + 0.01 * torch.randn_like(value) if value.is_floating_point() and 'var' not in name
                   else value for name, value in self.model.state_dict().items()}
        path = self.folder / f'state_{k}.pth'
        torch.save(dict(state_dict=changed), path)
        return path

    def predict(self, size: tuple[int, int], batch: int, copy: nn.Module | None = None) -> None:
        """Predict a batch of images of one size.

        Args:
            size: Height and width in pixels.
            batch: Number of images.
            copy: Copy of the model that predicts, or None for the model itself.
        """
        samples = deepcopy(self.samples[:batch])
        for sample in samples:
            sample['inputs'] = _resized(sample['inputs'], size)
            sample['data_samples'].set_metainfo(dict(img_shape=size, pad_shape=size))
        with torch.no_grad():  # eval() is not called, because it would discard the engine
            (copy or self.model).test_step(dict(inputs=[sample['inputs'] for sample in samples],
                                                data_samples=[sample['data_samples'] for sample in samples]))

    def switch_engine(self, engine: str) -> None:
        """Run the model by another engine."""
        self.engine = engine
        if engine == 'eager':
            restore_eager(self.model)
        else:
            optimize_for_inference(self.model, engine)

    def load_state(self, k: int) -> None:
        """Load one of the checkpoints."""
        load_checkpoint(self.model, str(self.states[k]), map_location='cpu')

    def evaluate(self) -> None:
        """Evaluate the model on the sample set, and record the result."""
        if self.store.exists() and len(ResultStore(self.store).read()) >= _MOST_RECORDS:
            self.store.unlink()
        with DefaultScope.overwrite_default_scope(self.scope):
            self.runner.test()


def _resized(image: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(image[None].float(), size=size, mode='bilinear').to(image.dtype)[0]


def _run_silently(operation: Callable[[], None]) -> None:
    with redirect_stdout(io.StringIO()):  # of pycocotools
        operation()


class Soak:
    """Sequence of random operations.

    Args:
        folder: Empty folder for data and outputs.
        seed: Seed of the sequence.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.data = write_sample_set(folder / 'sample', 4, 4, 128, 96)
        self.annotations = self.data / 'annotations' / 'instances_val2017.json'
        self._write_detections()
        self.models = [SoakModel(name, self.data, folder) for name in CONFIGS]
        self.copies = [optimize_for_inference(deepcopy(self.models[-1].model), engine) for engine in LASTING]
        self.operations = {self.predict: 16, self.predict_by_copy: 4, self.switch_engine: 3, self.load_state: 3,
                           self.evaluate: 1, self.compare: 1, self.write_page: 1}

    def step(self) -> str:
        """Run a random operation, and return its name."""
        operation = self.random.choices(list(self.operations), list(self.operations.values()))[0]
        _run_silently(operation)
        return operation.__name__

    def warm_up(self) -> None:
        """Predict all sizes with all models by each engine at a time, and run all operations.

        Caches are then full, and all threads are started.
        """
        for copy, size, batch in product(self.copies, SIZES, BATCHES):
            self.models[-1].predict(size, batch, copy)
        for engine in ENGINES:
            for model in self.models:
                model.switch_engine(engine)
            for model, size, batch in product(self.models, SIZES, BATCHES):
                model.predict(size, batch)
        for operation in (*(model.evaluate for model in self.models), *self.operations):
            _run_silently(operation)

    @contextmanager
    def all_eager(self) -> Iterator[None]:
        """Switch all models to the eager engine, and back at the end."""
        engines = [model.engine for model in self.models]
        for model in self.models:
            model.switch_engine('eager')
        yield
        for model, engine in zip(self.models, engines):
            model.switch_engine(engine)

    def predict(self) -> None:
        """Predict with a random model, size and batch size."""
        self.random.choice(self.models).predict(self.random.choice(SIZES), self.random.choice(BATCHES))

    def predict_by_copy(self) -> None:
        """Predict with a copy of a model. Its engine is never switched."""
        self.models[-1].predict(self.random.choice(SIZES), self.random.choice(BATCHES), self.random.choice(self.copies))

    def switch_engine(self) -> None:
        """Switch the engine of a random model."""
        self.random.choice(self.models).switch_engine(self.random.choice(ENGINES))

    def load_state(self) -> None:
        """Load a random checkpoint into a random model."""
        self.random.choice(self.models).load_state(self.random.randrange(_STATES))

    def evaluate(self) -> None:
        """Evaluate a random model."""
        self.random.choice(self.models).evaluate()

    def compare(self) -> None:
        """Compare two files of detections."""
        self._command('compare', *map(str, self.results), '--annotations', str(self.annotations), '--draws', '50',
                      '--out', str(self.folder / 'comparison'))

    def write_page(self) -> None:
        """Write the page of the leaderboard."""
        self._command('leaderboard', '--store', str(self.models[0].store), '--source', 'own', '--out',
                      str(self.folder / 'page'))

    def _command(self, *words: str) -> None:
        code = run(words)
        if code:
            raise RuntimeError(f'the command must succeed, got exit code {code}: hrnet {" ".join(words)}')

    def _write_detections(self) -> None:
        """Write two files of detections: the ground truth with shifts."""
        truth = json.loads(self.annotations.read_text())['annotations']
        self.results = []
        for number, shift in enumerate((1, 4)):
            found = [dict(image_id=box['image_id'], category_id=box['category_id'], score=self.random.random(),
                          bbox=[box['bbox'][0] + self.random.uniform(-shift, shift), *box['bbox'][1:]])
                     for box in truth]
            self.results.append(self.folder / f'detections_{number}.json')
            self.results[-1].write_text(json.dumps(found))
