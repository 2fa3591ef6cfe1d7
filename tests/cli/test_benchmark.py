"""The subcommand ``benchmark``, with configs of the plugin and of other packages."""

from __future__ import annotations

import json

import pytest

from hrnet_plugin.cli import benchmark

NAME = 'td-hm_hrnetv1-w18-small-v1_sample'
OTHER = '''
default_scope = 'mmengine'
model = dict(type='Any', backbone=dict(type='hrnet_plugin.HRNet', arch='w18_small_v1', host='mmpose'))
'''


@pytest.fixture(autouse=True)
def _short_measurement(monkeypatch):
    measure_machine = benchmark.measure_machine
    monkeypatch.setattr(benchmark, 'measure_machine', lambda *args: measure_machine(*args, seconds=0.01))


def test_comparison_of_two_configs(capsys, tmp_path):
    pytest.importorskip('mmpose')
    other, out = tmp_path / 'other.py', tmp_path / 'figures.json'
    other.write_text(OTHER)
    benchmark.main(['--config', NAME, '--config', str(other), '--shape', '64', '48', '--rounds', '1',
                    '--out', str(out)])
    printed = capsys.readouterr().out
    record = json.loads(out.read_text())
    assert list(record['networks']) == [NAME, f'{NAME}, torch engine', 'other', 'other, torch engine']
    assert all(name in printed for name in record['networks'])
    assert 'GMAC/s' in printed
    assert record['setting']['shape'] == [64, 48]
    assert record['setting']['machine']['macs'] > 0
    assert record['networks'][NAME]['macs'] == record['networks']['other']['macs']


def test_training(capsys, tmp_path):
    other = tmp_path / 'other.py'
    other.write_text(OTHER)
    benchmark.main(['--config', str(other), '--shape', '64', '64', '--batch', '2', '--rounds', '1', '--train'])
    printed = capsys.readouterr().out
    assert 'saved (MiB)' in printed
    assert 'torch engine' not in printed


@pytest.mark.parametrize(('words', 'message'), [
    (['--shape', '0', '64'], '--shape must be at least 1, got 0'),
    (['--shape', '64', '64', '--batch', '0'], '--batch must be at least 1'),
    (['--shape', '64', '64', '--rounds', '0'], '--rounds must be at least 1'),
    (['--shape', '64', '64', '--config', NAME], 'different configs')])
def test_invalid_options(capsys, words, message):
    with pytest.raises(SystemExit):
        benchmark.main(['--config', NAME, *words])
    assert message in capsys.readouterr().err


def test_config_without_a_model(tmp_path):
    path = tmp_path / 'empty.py'
    path.write_text('x = 1')
    with pytest.raises(ValueError, match='must have the entry model'):
        benchmark.main(['--config', str(path), '--shape', '64', '64'])


def test_configs_of_one_name(tmp_path):
    paths = [tmp_path / folder / 'same.py' for folder in 'ab']
    for path in paths:
        path.parent.mkdir()
        path.write_text(OTHER)
    names = [str(path) for path in paths]
    assert list(benchmark.build_networks(benchmark.load_configs(names), True, 'cpu')) == names


def test_several_necks_in_a_row(tmp_path):
    path = tmp_path / 'necks.py'
    neck = dict(type='hrnet_plugin.HRNetV2', arch='w18_small_v1', out_channels=8)
    path.write_text(f'{OTHER}model.update(neck=[{neck}, dict(type="hrnet_plugin.HRFPN", in_channels=[8], num_outs=2)])')
    network = benchmark.build_networks(benchmark.load_configs([str(path)]), True, 'cpu')['necks']
    assert [type(part).__name__ for part in network] == ['HRNet', 'HRNetV2', 'HRFPN']


def test_images_have_the_channels_of_the_backbone(tmp_path):
    path, out = tmp_path / 'four.py', tmp_path / 'figures.json'
    path.write_text(f'{OTHER}model["backbone"].update(in_channels=4)')
    arguments = ['--config', str(path), '--shape', '64', '64', '--rounds', '1']
    benchmark.main([*arguments, '--out', str(out)])
    assert list(json.loads(out.read_text())['networks']) == ['four', 'four, torch engine']
    path.with_name('three.py').write_text(OTHER)
    with pytest.raises(ValueError, match=r'same number of image channels, got {.*four\.py.: 4, .*three\.py.: 3}'):
        benchmark.main([*arguments, '--config', str(path.with_name('three.py'))])
