"""The subcommand check: summary, findings and exit code."""

from __future__ import annotations

import pytest

from hrnet_plugin.cli.check import main, parse_args
from hrnet_plugin.experiments.sample_set import write_sample_set

DETECTOR, SEGMENTATION = 'faster-rcnn_hrnetv2p-w18-small-v1_sample', 'fcn_hrnetv2-w18-small-v1_sample'


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return str(write_sample_set(tmp_path_factory.mktemp('data') / 'sample', 6, 3, 160, 128))


def test_summary_of_a_right_detection_set(root, capsys):
    pytest.importorskip('mmdet')
    assert main([DETECTOR, '--data-root', root]) == 0
    out = capsys.readouterr().out
    assert f'{root}/annotations/instances_train2017.json (train_dataloader.dataset)' in out
    assert '  6 images, 0 of them without annotations' in out
    assert next(line.split() for line in out.splitlines() if 'small' in line) == ['class', 'small', 'medium', 'large']
    assert 'train_dataloader.dataset: 6 images of 6 samples read, 160 x 128 pixels' in out
    assert 'index created' not in out
    assert out.splitlines()[-1].startswith('0 errors')


def test_summary_of_a_right_segmentation_set(root, capsys):
    pytest.importorskip('mmseg')
    assert main([SEGMENTATION, '--data-root', root, '--splits', 'train', '--samples', '2']) == 0
    out = capsys.readouterr().out
    assert 'train_dataloader.dataset: 2 images of 6 samples read' in out
    assert 'val_dataloader' not in out


def test_errors_are_lines_and_the_exit_code(root, capsys):
    pytest.importorskip('mmdet')
    options = ['--data-root', root, '--splits', 'train', '--cfg-options', 'model.roi_head.bbox_head.num_classes=3']
    assert main([DETECTOR, *options]) == 1
    *_, error, last = capsys.readouterr().out.splitlines()
    assert error.startswith('error: model.roi_head.bbox_head.num_classes must be 80')
    assert last == '1 errors, 0 warnings'


def test_a_negative_number_of_samples_is_refused(capsys):
    with pytest.raises(SystemExit):
        parse_args([DETECTOR, '--samples', '-1'])
    assert '--samples must be at least 0, got -1' in capsys.readouterr().err
