"""Runs stop before the first step, in the tools of this package and of the hosts."""

from __future__ import annotations

import json

import pytest
from mmengine.runner import Runner

from hrnet_plugin.data_checks import hook
from hrnet_plugin.data_checks.hook import DataCheckHook
from hrnet_plugin.training.runner import HRNetRunner

HEAD = 'model.roi_head.bbox_head.num_classes'


@pytest.fixture
def run(sample_config, tmp_path):
    """Return a runner of the sample config with the hook, one worker process less, and one iteration."""
    def build(kind=HRNetRunner, host='mmdet', arguments=None, **changes):
        config = sample_config(host, **changes)
        for split in ('train', 'val', 'test'):
            if config[f'{split}_dataloader'] is None:
                continue
            config[f'{split}_dataloader'].update(num_workers=0, persistent_workers=False, batch_size=1)
        config.train_cfg = dict(type='IterBasedTrainLoop', max_iters=1)
        config.param_scheduler = []
        config.log_level, config.work_dir = 'ERROR', str(tmp_path)
        config.experiment_name = str(tmp_path.name)
        config.default_hooks.checkpoint = None
        config.custom_hooks = [dict(arguments or {}, type='hrnet_plugin.DataCheckHook')]
        return kind.from_cfg(config)
    return build


def test_a_right_run_trains(run):
    assert run().train() is not None


def test_a_run_stops_before_the_datasets_are_built(run):
    runner = run(**{HEAD: 3})
    with pytest.raises(ValueError, match=f'{HEAD} must be 80.*1 more in the log'):
        runner.train()
    assert isinstance(runner._train_loop, dict)


def test_runs_of_the_hosts_stop_before_the_first_step(run):
    runner = run(Runner, **{HEAD: 3})
    with pytest.raises(ValueError, match=f'{HEAD} must be 80'):
        runner.train()
    assert runner.iter == 0


@pytest.mark.parametrize('kind', [HRNetRunner, Runner])
def test_tests_are_checked_too(run, kind):
    with pytest.raises(ValueError, match='number of classes of test_dataloader'):
        run(kind, **{HEAD: 3}).test()


def test_the_channels_of_the_first_batch_are_checked(run):
    runner = run(**{'model.backbone.in_channels': 1, 'model.backbone.init_cfg': None})
    with pytest.raises(ValueError, match=r"train_dataloader: .*have 3 channels, got model.backbone.in_channels=1"):
        runner.train()


def test_label_maps_are_checked_before_training(run):
    changes = {'train_dataloader.dataset.metainfo': dict(classes=('person', 'clock')),
               'train_dataloader.dataset.type': 'BaseSegDataset', 'train_dataloader.dataset.img_suffix': '.png',
               'train_dataloader.dataset.seg_map_suffix': '.png', 'model.decode_head.num_classes': 2}
    runner = run(host='mmseg', **changes, val_dataloader=None, val_evaluator=None, val_cfg=None)
    with pytest.raises(ValueError, match=r'label maps of train_dataloader\.dataset must have values below 2'):
        runner.train()


def test_scans_and_label_maps_can_be_disabled(run):
    assert run(host='mmseg', arguments=dict(scan=False, images=0, label_maps=0)).train() is not None


@pytest.mark.parametrize('arguments', [dict(scan=1), dict(images=-1), dict(label_maps=True)])
def test_wrong_arguments_are_refused(arguments):
    with pytest.raises((TypeError, ValueError), match=next(iter(arguments))):
        DataCheckHook(**arguments)


def test_several_processes_fail_together(monkeypatch, run):
    """Other processes exit without a message, and do not read data."""
    monkeypatch.setattr(hook, 'is_main_process', lambda: False)
    monkeypatch.setattr(hook, 'check_datasets', None)
    monkeypatch.setattr(hook, 'broadcast_object_list', lambda shared: shared.__setitem__(0, True))
    with pytest.raises(SystemExit, match='1'):
        run().train()


def test_other_processes_hear_of_a_failed_check(monkeypatch, run):
    shared = []
    monkeypatch.setattr(hook, 'check_datasets', lambda *args: 1 / 0)
    monkeypatch.setattr(hook, 'broadcast_object_list', shared.extend)
    with pytest.raises(ZeroDivisionError):
        run().train()
    assert shared == [True]


def test_sizes_of_images_are_checked_before_training(run, sample_root, tmp_path):
    """mmpose does not keep the annotated sizes, which are those of the annotation file."""
    truth = json.loads((sample_root / 'annotations/person_keypoints_train2017.json').read_text())
    for image in truth['images']:
        image.update(height=image['height'] * 2, width=image['width'] * 2)
    file = tmp_path / 'train.json'
    file.write_text(json.dumps(truth))
    with pytest.raises(ValueError, match='have another size than the annotated one'):
        run(host='mmpose', **{'train_dataloader.dataset.ann_file': str(file)}).train()
