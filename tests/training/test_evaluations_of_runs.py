"""The last evaluation of a run has the metrics of ``hrnet test`` on its last checkpoint, in one and two processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from conftest import SAMPLE_CONFIGS, read_sample_config
from paths import ROOT

from hrnet_plugin.experiments.sample_set import write_sample_set

pytestmark = pytest.mark.slow

AVERAGE = dict(type='EMAHook', momentum=.3)
CASES = {  # batch norms learn their statistics, except in the backbone of FCOS
    'faster-rcnn': ('mmdet', SAMPLE_CONFIGS['mmdet'], {}),
    'fcos': ('mmdet', 'fcos_hrnetv2p-w18-small-v1_sample', {'model.backbone.norm_eval': True}),
    'pose': ('mmpose', SAMPLE_CONFIGS['mmpose'], {'custom_hooks': [AVERAGE]}),
    'segmentation': ('mmseg', SAMPLE_CONFIGS['mmseg'], {'custom_hooks': [dict(AVERAGE, update_buffers=True)]}),
}
LAST = dict(mmdet='epoch_1.pth', mmpose='epoch_1.pth', mmseg='iter_2.pth')
EVALUATED = 7  # images, so that one of two processes evaluates an image twice
DETECTED = dict(score_thr=0.)  # all boxes of a detector that has learned little
PROCESSES = (1, 2)


@pytest.fixture(scope='module')
def evaluations(tmp_path_factory):
    folder = tmp_path_factory.mktemp('evaluations')
    return evaluate_runs(folder, write_sample_set(folder / 'sample', 8, EVALUATED, 160, 128))


def write_config(folder, case, root):
    host, name, changes = CASES[case]
    config = read_sample_config(name, root)
    config.merge_from_dict({
        'randomness': dict(seed=1), 'param_scheduler': [], 'train_dataloader.batch_size': 2, 'log_level': 'ERROR',
        'train_dataloader.dataset.indices': 8, 'default_hooks.checkpoint': dict(interval=1, save_best=None), **changes})
    for split in ('val', 'test'):
        # results of larger batches differ by rounding errors, which can move the maximum of a heatmap
        config[f'{split}_dataloader'].batch_size = 1
        evaluator = config[f'{split}_evaluator']
        if host == 'mmdet':
            evaluator.metric = ['bbox', 'proposal']
        config[f'{split}_evaluator'] = [evaluator, *([dict(type='AUC')] if host == 'mmpose' else []),
                                        dict(type='mmengine.PredictionMean')]
    if host == 'mmdet':
        for split in ('train', 'val', 'test'):
            pipeline = config[f'{split}_dataloader'].dataset.pipeline
            next(step for step in pipeline if step['type'] == 'Resize').scale = (160, 128)
        test_cfg = config.model.test_cfg
        test_cfg.get('rcnn', test_cfg).update(DETECTED)
    config.train_cfg = (dict(type='IterBasedTrainLoop', max_iters=2, val_interval=2) if host == 'mmseg' else
                        dict(by_epoch=True, max_epochs=1, val_interval=1))
    config.custom_hooks = [*(config.get('custom_hooks') or []), dict(type='mmengine.EvaluationRecord')]
    config.dump(folder / f'{case}.py')


def evaluate_runs(folder, root):
    """Return the evaluations by case, processes of the training, and 'train' or the processes of the test."""
    for case in CASES:
        write_config(folder, case, root)
    jobs = {processes: [('train', case, processes) for case in CASES] for processes in PROCESSES}
    jobs[2] += [('test', case, 2) for case in CASES]
    jobs[1] += [('test', case, processes) for case in CASES for processes in PROCESSES]
    found = {}
    for processes in reversed(PROCESSES):  # one process tests the checkpoints of two
        evaluations = launch(folder, processes, [words(folder, *job) for job in jobs[processes]])
        assert len(evaluations) == len(jobs[processes])
        for (command, case, trained), evaluation in zip(jobs[processes], evaluations):
            found[case, trained, command if command == 'train' else processes] = evaluation
    return found


def words(folder, command, case, trained):
    work = folder / f'{case}-{trained}'
    if command == 'train':
        return ['train', str(folder / f'{case}.py'), '--work-dir', str(work)]
    return ['test', str(folder / f'{case}.py'), str(work / LAST[CASES[case][0]]), '--work-dir', str(work / 'test')]


def launch(folder, processes, jobs):
    launcher = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2'] if processes == 2 else []
    (folder / 'jobs.json').write_text(json.dumps(jobs))
    finished = subprocess.run(
        [sys.executable, '-W', 'ignore', *launcher, str(ROOT / 'tests/training/evaluated_cases.py'),
         str(folder / 'out.json'), 'pytorch' if launcher else 'none', str(folder / 'jobs.json')],
        capture_output=True, text=True, timeout=500,
        env=dict(os.environ, PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES=''))
    assert finished.returncode == 0, finished.stderr[-4000:]
    return json.loads((folder / 'out.json').read_text())


@pytest.mark.parametrize('case', CASES)
@pytest.mark.parametrize('trained', PROCESSES)
def test_the_last_evaluation_equals_tests_of_the_checkpoint(evaluations, case, trained):
    expected = evaluations[case, trained, 'train']
    assert expected['metrics']['mean'] != 0
    tests = [evaluations[case, trained, processes] for processes in PROCESSES if processes <= trained]
    assert len(tests) == trained
    for test in tests:
        assert test['metrics'] == pytest.approx(expected['metrics'], abs=1e-6)


@pytest.mark.parametrize('case', CASES)
def test_two_processes_evaluate_the_same_model(evaluations, case):
    first, second = evaluations[case, 2, 'train']['norms']
    assert first == second
    assert evaluations[case, 2, 1]['norms'] == [first]


def test_all_images_are_evaluated_once(evaluations):
    """Samplers repeat an image so that both processes evaluate the same number of batches."""
    for case in ('faster-rcnn', 'fcos', 'segmentation'):
        assert all(evaluations[case, 2, test]['metrics']['images'] == EVALUATED for test in ('train', 1, 2))
