"""Images per optimizer step and learning rates: the table of the documents is what runs log and use."""

from __future__ import annotations

import re

import pytest
from linear_model import LinearModel, Ones
from paths import ROOT

from hrnet_plugin.training.hooks import process_log
from hrnet_plugin.training.runner import HRNetRunner

PAGE = (ROOT / 'docs' / 'how-to' / 'cluster.md').read_text(encoding='utf-8')
ROWS = [[float(cell) for cell in row.strip('| ').split('|')] for row in re.findall(r'^\| \d.*\|$', PAGE, re.M)]


def step(tmp_path, monkeypatch, processes, batch, count, enable):
    """Return images per optimizer step and learning rate that a run logs, and the learning rate that it uses."""
    logged = []
    monkeypatch.setattr(process_log, 'print_log', lambda message, **_: logged.append(message))
    # mmengine distinguishes this number from the process group, so that one process is enough here
    monkeypatch.setattr('mmengine.runner.runner.get_dist_info', lambda: (0, processes))
    runner = HRNetRunner(
        LinearModel(), str(tmp_path), train_cfg=dict(by_epoch=True, max_epochs=1), log_level='ERROR',
        train_dataloader=dict(batch_size=batch, dataset=Ones(batch), sampler=dict(type='DefaultSampler')),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=.02), accumulative_counts=count),
        auto_scale_lr=dict(enable=enable, base_batch_size=16), default_hooks=dict(checkpoint=None),
        custom_hooks=[dict(type='hrnet_plugin.ProcessLogHook')], experiment_name=f'{tmp_path.name}-{enable}')
    runner.train()
    line, = logged
    images, rate = re.match(r'(\d+) images per optimizer step: .* at the first step: (\S+)$', line).groups()
    return float(images), float(rate), runner.optim_wrapper.param_groups[0]['lr']


def test_the_table_has_eight_rows():
    assert len(ROWS) == 8


@pytest.mark.parametrize('row', ROWS, ids=lambda row: '-'.join(f'{cell:g}' for cell in row[:3]))
def test_a_row_is_what_a_run_uses(row, tmp_path, monkeypatch):
    processes, batch, count, *expected = row
    for enable, rate in ((True, expected[1]), (False, expected[2])):
        found = step(tmp_path / str(enable), monkeypatch, int(processes), int(batch), int(count), enable)
        assert found == (expected[0], pytest.approx(rate), pytest.approx(rate))
