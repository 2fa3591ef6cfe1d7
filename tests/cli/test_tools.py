"""Decisions of the subcommands, without running a model. tests/test_mim.py runs the complete subcommands."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from hrnet_plugin.cli import config, leaderboard, record, report, run_options, train, training_curve
from hrnet_plugin.cli import evaluate as test
from hrnet_plugin.config_files import list_configs

SAMPLE = str(list_configs()['faster-rcnn_hrnetv2p-w18-small-v1_sample'])


@pytest.fixture
def sample():
    pytest.importorskip('mmdet')
    return Config.fromfile(SAMPLE)


def test_a_derived_config_is_printed(tmp_path, capsys):
    path = config.write_derived_config('faster-rcnn_hrnetv2p-w32_1x_coco', tmp_path)
    config.main([str(path)])
    assert "arch='w32'" in capsys.readouterr().out


def test_a_missing_config_is_named():
    with pytest.raises(FileNotFoundError, match=r"config must be the name of a shipped config or .*, got 'nothing.py'"):
        run_options.load_config(train.parse_args(['nothing.py']))


def test_options_of_training(sample):
    train.apply_options(sample, train.parse_args([SAMPLE, '--amp', '--auto-scale-lr']))
    assert sample.optim_wrapper.type == 'AmpOptimWrapper'
    assert sample.auto_scale_lr.enable is True
    sample.load_from = 'timm://hrnet_w18'
    train.apply_options(sample, train.parse_args([SAMPLE]))
    assert sample.load_from == 'hrnet://timm://hrnet_w18'
    assert dict(type='hrnet_plugin.CompleteLoadHook', part='backbone') in sample.custom_hooks
    assert dict(type='hrnet_plugin.FrozenNormCheckHook') in sample.custom_hooks
    assert dict(type='hrnet_plugin.DataCheckHook') in sample.custom_hooks
    assert sample.default_hooks.checkpoint.type == 'hrnet_plugin.AtomicCheckpointHook'
    with pytest.raises(ValueError, match=r'--auto-scale-lr requires auto_scale_lr\.base_batch_size'):
        train.apply_options(Config(dict()), train.parse_args([SAMPLE, '--auto-scale-lr']))


@pytest.mark.parametrize('entry', [True, False])
def test_resuming(sample, entry, tmp_path):
    """By the option, and by the entry ``resume`` of the config."""
    sample.work_dir = str(tmp_path)
    sample.resume = entry
    words = [SAMPLE] if entry else [SAMPLE, '--resume']
    train.apply_options(sample, train.parse_args(words))
    assert (sample.resume, sample.get('load_from')) == (False, None)  # there is nothing to resume from
    torch.save(dict(state_dict={}, meta={}), tmp_path / 'epoch_3.pth')
    sample.resume = entry
    train.apply_options(sample, train.parse_args(words))
    assert (sample.resume, sample.load_from) == (True, f'{tmp_path}/epoch_3.pth')
    assert dict(type='hrnet_plugin.CompleteLoadHook') in sample.custom_hooks


def test_resuming_without_a_checkpoint_loads_the_initial_weights(sample, tmp_path):
    sample.work_dir, sample.load_from = str(tmp_path), 'start.pth'
    train.apply_options(sample, train.parse_args([SAMPLE, '--resume']))
    assert (sample.resume, sample.load_from) == (False, 'hrnet://start.pth')


@pytest.mark.parametrize(('launcher', 'added'), [('none', False), ('pytorch', True), ('slurm', True), ('mpi', True)])
def test_statistics_are_synchronized_between_processes(sample, launcher, added):
    sample.launcher = launcher
    train.apply_options(sample, train.parse_args([SAMPLE]))
    assert (dict(type='hrnet_plugin.SyncNormStatisticsHook') in sample.custom_hooks) == added


def test_bfloat16_replaces_another_wrapper(sample):
    sample.optim_wrapper.update(type='AmpOptimWrapper', loss_scale='dynamic', dtype='float16')
    sample.optim_wrapper.dtype = 'bfloat16'
    train.apply_options(sample, train.parse_args([SAMPLE, '--amp']))
    assert sample.optim_wrapper.dtype == 'float16'
    train.apply_options(sample, train.parse_args([SAMPLE, '--amp', 'bf16']))
    assert sample.optim_wrapper.type == 'hrnet_plugin.BFloat16OptimWrapper'
    assert set(sample.optim_wrapper) == {'type', 'optimizer', 'clip_grad'}


def test_recording(sample):
    test.apply_options(sample, test.parse_args([SAMPLE, 'x.pth', '--record', '--note', 'mine']))
    assert sample.custom_hooks[-1] == dict(type='hrnet_plugin.RecordHook', store='work_dirs/leaderboard.sqlite',
                                           note='mine')
    test.apply_options(sample, test.parse_args([SAMPLE, 'x.pth', '--record', 'here.sqlite']))
    assert sample.custom_hooks[-1].store == 'here.sqlite'


@pytest.mark.parametrize(('parse', 'words', 'message'), [
    (test.parse_args, [SAMPLE, 'x.pth', '--note', 'mine'], '--note requires --record'),
    (leaderboard.parse_args, ['--top', '-1'], '--top must be at least 0'),
    (leaderboard.parse_args, ['--top', '3', '--out', 'x'], 'used without --out'),
    (leaderboard.parse_args, ['--title', 'x'], 'require --out'),
    (record.parse_args, ['--results', 'x'],
     'requires --config, --annotations, and excludes --data, --split, --images, got no'),
    (record.parse_args, ['--work-dir', 'x', '--data', 'a', '--split', 'b', '--images', '1', '--config', 'c'],
     'got --config'),
    (record.parse_args, ['--work-dir', 'x', '--data', 'a', '--split', 'b', '--images', '0'], 'at least 1, got 0'),
])
def test_options_without_effect_are_refused(parse, words, message, capsys):
    with pytest.raises(SystemExit):
        parse(words)
    assert message in capsys.readouterr().err


def test_a_leaderboard_of_published_rows(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where there is no store
    leaderboard.main(['--task', 'detection', '--width', 'w32', '--top', '3'])
    assert 'HRNetV2p-W32' in capsys.readouterr().out
    with pytest.raises(FileNotFoundError, match='store must be an existing file, got'):
        leaderboard.main(['--store', 'nothing.sqlite'])
    with pytest.raises(ValueError, match='the filters must match at least one row, got no match'):
        leaderboard.main(['--task', 'pose', '--method', 'FCOS'])


@pytest.mark.parametrize(('text', 'words'), [
    ('{', r'results .*boxes\.json.* must be JSON'),
    ('{"a": 1}', r'results .*boxes\.json.* must be a list of detections, got a dict'),
    ('[3, 4]', r'results \(.*boxes\.json\), detection 0: must be an object, got 3'),
])
def test_invalid_results(tmp_path, text, words):
    pytest.importorskip('mmdet')
    files = {name: tmp_path / f'{name}.json' for name in ('boxes', 'truth')}
    files['boxes'].write_text(text)
    files['truth'].write_text(json.dumps(dict(images=[dict(id=1)], categories=[dict(id=1, name='a')], annotations=[])))
    store = tmp_path / 'store.sqlite'
    with pytest.raises(ValueError, match=words):
        record.main(['--store', str(store), '--config', SAMPLE, '--results', str(files['boxes']),
                     '--annotations', str(files['truth'])])
    assert not store.exists()


@pytest.mark.parametrize('text', ['{', '[1]', '{"names": ["a", "b"]}', pytest.param('[' * 200000, id='nested')])
def test_invalid_comparisons(tmp_path, text):
    path = tmp_path / 'other.json'
    path.write_text(text)
    with pytest.raises(ValueError, match=r'--compare must be comparison\.json of .*, got .*other\.json'):
        leaderboard.main(['--task', 'pose', '--out', str(tmp_path / 'out'), '--compare', str(path)])


def test_nothing_is_written_without_plotly(tmp_path, monkeypatch):
    monkeypatch.setattr('hrnet_plugin.evaluation.leaderboard.page.write.find_spec', lambda name: None)
    with pytest.raises(ImportError, match='the page requires plotly, which is not installed: pip install plotly'):
        leaderboard.main(['--task', 'pose', '--out', str(tmp_path / 'out')])
    assert not (tmp_path / 'out').exists()


def test_no_test_in_a_work_directory(tmp_path):
    with pytest.raises(FileNotFoundError, match='--work-dir must be the work directory of a test'):
        record.main(['--work-dir', str(tmp_path), '--data', 'a', '--split', 'b', '--images', '3'])


def test_test_time_augmentation_requires_its_entries(sample):
    sample.tta_model = None
    with pytest.raises(ValueError, match="--tta requires the entry 'tta_model' in the config"):
        test.apply_options(sample, test.parse_args([SAMPLE, 'weights.pth', '--tta']))


def test_test_time_augmentation_of_pose_is_an_entry_of_its_configs():
    pytest.importorskip('mmpose')
    pose = Config.fromfile(str(list_configs()['td-hm_hrnetv1-w18-small-v1_sample']))
    with pytest.raises(ValueError, match=r'pose models average the mirror image if model\.test_cfg\.flip_test'):
        test.apply_options(pose, test.parse_args([SAMPLE, 'weights.pth', '--tta']))


def test_test_time_augmentation_reaches_wrapped_datasets(sample):
    inner = sample.test_dataloader.dataset
    sample.test_dataloader.dataset = dict(type='RepeatDataset', times=1, dataset=dict(
        type='ConcatDataset', datasets=[inner, dict(inner)]))
    test.apply_options(sample, test.parse_args([SAMPLE, 'weights.pth', '--tta']))
    joined = sample.test_dataloader.dataset.dataset
    assert [dataset.pipeline for dataset in joined.datasets] == [sample.tta_pipeline] * 2
    assert 'pipeline' not in joined
    assert 'pipeline' not in sample.test_dataloader.dataset
    assert sample.model.module.type == 'FasterRCNN'


def test_options_of_testing(sample):
    args = test.parse_args([SAMPLE, 'weights.pth', '--show-dir', 'pictures', '--out', 'all.pkl'])
    test.apply_options(sample, args)
    assert sample.load_from == 'hrnet://weights.pth'
    assert dict(type='hrnet_plugin.CompleteLoadHook', part='') in sample.custom_hooks
    assert dict(type='hrnet_plugin.DataCheckHook') in sample.custom_hooks
    assert sample.default_hooks.visualization.draw is True
    assert sample.default_hooks.visualization.test_out_dir == 'pictures'
    assert sample.test_evaluator[-1] == dict(
        type='hrnet_plugin.PredictionDump', dump='DumpDetResults', out_file_path='all.pkl')
    with pytest.raises(ValueError, match=r"--out must end in .pkl or .pickle, got 'all.json'"):
        test.apply_options(sample, test.parse_args([SAMPLE, 'weights.pth', '--out', 'all.json']))
    sample.test_evaluator = dict(type='MultiDatasetsEvaluator', dataset_prefixes=['a'], metrics=[sample.test_evaluator])
    with pytest.raises(ValueError, match='--out must be used with metrics in test_evaluator, got MultiDatasetsEval'):
        test.apply_options(sample, test.parse_args([SAMPLE, 'weights.pth', '--out', 'all.pkl']))
    with pytest.raises(ValueError, match=r'default_scope of the config must be one of mmdet, .*, mmpretrain, got None'):
        test.apply_options(Config(dict()), test.parse_args([SAMPLE, 'weights.pth', '--show-dir', 'x']))


@pytest.mark.parametrize(('name', 'place'), [
    ('td-hm_hrnetv1-w18-small-v1_sample', 'hook'), ('fcn_hrnetv2-w18-small-v1_sample', 'backend')])
def test_visualizations_of_pose_and_segmentation(name, place):
    loaded = Config.fromfile(str(list_configs()[name]))
    pytest.importorskip(loaded.default_scope)
    test.apply_options(loaded, test.parse_args([name, 'weights.pth', '--show-dir', 'shown', '--out', 'all.pkl']))
    hook, backend = loaded.default_hooks.visualization, loaded.visualizer.vis_backends[0]
    assert hook.interval == 1  # each image
    assert hook.enable if place == 'hook' else hook.draw
    assert (hook.out_dir if place == 'hook' else backend.img_save_dir) == 'shown'
    assert loaded.test_evaluator[-1].dump == 'DumpResults'


def test_a_derived_config_is_not_overwritten(tmp_path):
    path = config.write_derived_config('faster-rcnn_hrnetv2p-w32_1x_coco', tmp_path / 'mine')
    assert Config.fromfile(str(path)).model.backbone.arch == 'w32'
    with pytest.raises(FileExistsError, match=r'--out must be a folder without faster-rcnn_hrnetv2p-w32_1x_coco\.py'):
        config.write_derived_config('faster-rcnn_hrnetv2p-w32_1x_coco', tmp_path / 'mine')


def _run(work_dir, epochs, values, folder='1'):
    """Write the log of a run by epochs whose metrics are ``values`` times the epoch."""
    records = []
    for epoch in epochs:
        records += [dict(epoch=epoch, iter=10 * epoch, step=10 * epoch, loss=5 / epoch, lr=.1),
                    {'step': epoch, 'time': .1, **{key: value * epoch for key, value in values.items()}}]
    _write_log(work_dir / folder, records)


def _write_log(folder, records):
    (folder / 'vis_data').mkdir(parents=True)
    (folder / 'vis_data' / 'scalars.json').write_text('\n'.join(map(json.dumps, records)))


def test_a_report_of_a_run_without_evaluations(tmp_path):
    folder = tmp_path / '1' / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text(json.dumps(dict(loss=1., step=1)))
    with pytest.raises(FileNotFoundError, match=r'logged an evaluation, such as coco/bbox_mAP, .*, accuracy/top1, got'):
        report.main([str(tmp_path)])


@pytest.mark.parametrize(('values', 'folder', 'titles', 'last'), [
    ({'coco/bbox_mAP': .1, 'coco/segm_mAP_50': .2}, 'pictures', ['AP', 'mask', 'AP50'], ['30.0', '60.0']),
    ({'coco/AP': .1, 'coco/AR (L)': .05}, 'pictures', ['AP', 'ARl'], ['30.0', '15.0']),
    ({'aAcc': 20., 'mIoU': 10., 'mDice': 5.}, 'vis_data/pictures', ['mIoU', 'aAcc', 'mDice'], ['30.0', '60.0', '15.0']),
    ({'accuracy/top1': 10.}, 'pictures', ['top-1'], ['30.0'])], ids=['mmdet', 'mmpose', 'mmseg', 'mmpretrain'])
def test_a_report_draws_curve_and_images(values, folder, titles, last, tmp_path, capsys):
    _run(tmp_path, (1, 2, 3), values)
    (tmp_path / '1' / folder).mkdir()
    for i in range(3):
        cv2.imwrite(str(tmp_path / '1' / folder / f'{i}.png'), np.full((20, 40, 3), 80 * i, np.uint8))
    report.main([str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ['step', *titles]
    assert lines[3].split() == ['3', *last]
    assert cv2.imread(str(tmp_path / 'curve.png')).std() > 0
    assert cv2.imread(str(tmp_path / 'pictures.png')).shape == (2 * 28, 2 * 48, 3)


@pytest.mark.parametrize(('values', 'titles', 'cells'), [
    ({'NME': .0512}, 'NME', '5.12'), ({'PCK': 88.25, 'PCK@0.1': 30., 'Head PCK': 95.}, 'PCKh PCKh@0.1 Head PCK',
                                      '88.2 30.0 95.0'),
    ({'PCK': .8825, 'AUC': .5, 'EPE': 3.456}, 'PCK AUC EPE (px)', '88.2 50.0 3.46'),
    ({'pascal_voc/mAP': .4512, 'pascal_voc/AP50': .451}, 'VOC AP VOC AP50', '45.1 45.1'),
    ({'coco-wholebody/AP (M)': .5}, 'whole-body APm', '50.0'), ({'coco/AP(E)': .5}, 'AP (E)', '50.0'),
    ({'lvis/bbox_APr': .25}, 'LVIS APr', '25.0'), ({'rmse': .356789, 'abs_rel': .1}, 'abs_rel rmse', '0.100 0.3568'),
    ({'motchallenge-metric/MOTA': -.5, 'motchallenge-metric/IDSW': 12}, 'MOTA IDSW', '-50.0 12'),
    ({'MPJPE': .05123, 'MRRPE': 30.}, 'MRRPE (mm) MPJPE', '30.0 0.05123'),
    ({'coco/bbox_mAP': .3, 'mine/score': 12.3456, 'coco/bbox_mAP_s': -1}, 'AP APs mine/score', '30.0 - 12.35')])
def test_a_report_shows_all_metrics_in_their_units(values, titles, cells, tmp_path, capsys):
    _run(tmp_path, (1, ), values)
    report.main([str(tmp_path)])
    head, line = capsys.readouterr().out.splitlines()[:2]
    assert head.split() == ['step', *titles.split()]
    assert line.split() == ['1', *cells.split()]


@pytest.mark.parametrize(('values', 'panels'), [
    ({'PCK': .5, 'AUC': .4}, 1), ({'PCK': .5, 'NME': .1}, 2), ({'PCK': .5, 'NME': .1, 'EPE': 3., 'mine': 4.}, 4),
    ({'coco/bbox_mAP_50': .1}, 1), ({'coco/person_precision': .1}, 1)])
def test_a_curve_has_a_panel_per_unit(values, panels, tmp_path):
    _run(tmp_path, (1, 2), values)
    report.main([str(tmp_path)])
    assert cv2.imread(str(tmp_path / 'curve.png')).shape[:2] == (panels * 480, 840)


def test_names_and_values_of_any_log_are_drawn(tmp_path, monkeypatch):
    legends = []
    monkeypatch.setattr(training_curve.plt, 'close', lambda figure: legends.extend(
        text.get_text() for axis in figure.axes if axis.legend_ for text in axis.legend_.get_texts()))
    names = {r'$\frac$': .5, '_hidden': 1e308, **{f'm{number}': -1e308 for number in range(20)}}
    _run(tmp_path, (1, 2), names)
    report.main([str(tmp_path)])
    assert [text.strip() for text in legends] == [r'\$\frac\$', '_hidden', *(f'm{number}' for number in range(18))]


def test_a_report_of_two_datasets_has_two_tables(tmp_path, capsys):
    _run(tmp_path, (1, 2), {'a/coco/bbox_mAP': .1, 'b/coco/bbox_mAP': .2, 'b/coco/person_precision': .3})
    report.main([str(tmp_path)])
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[:-1] == [['a'], ['step', 'AP'], ['1', '10.0'], ['2', '20.0'], [],
                          ['b'], ['step', 'AP'], ['1', '20.0'], ['2', '40.0'], [],
                          ['step', '2'], ['b/AP', 'of', 'person', '60.0']]


def test_a_report_of_a_run_by_iterations(tmp_path, capsys):
    """Check that the step is the last training iteration, since mmengine logs epoch 0."""
    _write_log(tmp_path / '1', [record for i in (2, 4, 6, 8) for record in (
        [dict(loss=1., lr=.1, iter=i, step=i)] + ([{'coco/bbox_mAP': .1 * i, 'step': 0}] if i % 4 == 0 else []))])
    report.main([str(tmp_path)])
    assert [line.split() for line in capsys.readouterr().out.splitlines()[1:3]] == [['4', '40.0'], ['8', '80.0']]
