"""The console command: help, exit codes, one-line errors, suggestions."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections import OrderedDict
from importlib import import_module

import pytest
from mmengine.config import Config
from mmengine.logging import MMLogger
from paths import ROOT

from hrnet_plugin.cli import commands, evaluate, main, train
from hrnet_plugin.cli.main import CLOSED_PIPE, INTERRUPTED, run
from hrnet_plugin.registry import MODELS

CONFIG = 'faster-rcnn_hrnetv2p-w18-small-v1_sample'


@pytest.fixture(autouse=True)
def no_run(monkeypatch):
    """Hide the logs of runs in earlier tests."""
    monkeypatch.setattr(MMLogger, '_instance_dict', OrderedDict())


def hrnet(*words, **options):
    return subprocess.run([sys.executable, '-m', 'hrnet_plugin', *words], capture_output=True, text=True, check=False,
                          env={**os.environ, 'PYTHONPATH': str(ROOT), **options.pop('env', {})}, **options)


def failing(monkeypatch, error):
    """Let ``hrnet count`` raise an error."""
    def fail(words):
        raise error

    monkeypatch.setattr('hrnet_plugin.cli.count.main', fail)


def test_the_overview_lists_every_command_without_imports():
    done = hrnet(env={'PYTHONPROFILEIMPORTTIME': '1'})
    assert done.returncode == 0
    assert all(f'  {name} ' in done.stdout for name in commands.COMMANDS)
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert ' torch\n' not in done.stderr
    assert done.stdout == hrnet('--help').stdout


@pytest.mark.parametrize('name', commands.COMMANDS)
def test_the_help_of_a_command_fits_a_screen(name, monkeypatch, capsys):
    monkeypatch.setenv('COLUMNS', '80')
    with pytest.raises(SystemExit) as exited:
        run([name, '--help'])
    out = capsys.readouterr().out
    assert exited.value.code == 0
    assert out.startswith(f'usage: hrnet {name} ')
    assert commands.summary(name) in out
    assert max(map(len, out.splitlines())) <= 80


def test_every_command_has_a_shim_for_mim():
    shims = {path.stem.replace('_', '-') for path in (ROOT / 'hrnet_plugin' / '.mim' / 'tools').rglob('*.py')}
    assert shims == set(commands.COMMANDS)
    assert len(commands.COMMANDS) == len({import_module(module).__doc__ for module in commands.COMMANDS.values()})


@pytest.mark.parametrize('shim', sorted((ROOT / 'hrnet_plugin' / '.mim' / 'tools').rglob('*.py')), ids=lambda p: p.stem)
def test_a_spawned_worker_does_not_run_the_command_again(shim):
    runpy.run_path(str(shim), run_name='__mp_main__')


def test_a_checkpoint_after_an_option():
    for words in (['c', '--tta', 'x.pth'], ['c', 'x.pth', '--tta'], ['c', '--checkpoint', 'x.pth', '--tta'],
                  ['--tta', 'c', '--checkpoint=x.pth']):
        args = evaluate.parse_args(words)
        assert (args.config, args.checkpoint, args.tta) == ('c', 'x.pth', True)


def test_the_option_of_a_launcher_before_the_command(monkeypatch):
    got = []
    monkeypatch.setattr('hrnet_plugin.cli.count.main', got.extend)
    assert run(['--local-rank=1', 'count', 'x']) == 0
    assert got == ['x', '--local-rank=1']


def test_a_process_without_a_log_prints_the_traceback(monkeypatch, capsys):
    monkeypatch.setenv('WORLD_SIZE', '2')
    failing(monkeypatch, ValueError('broken'))
    assert run(['count', CONFIG]) == 2
    assert capsys.readouterr().err.startswith('Traceback (most recent call last)')


def test_the_error_of_a_data_loader_is_its_last_line(monkeypatch, capsys):
    text = ('Caught FileNotFoundError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n'
            '  File "x.py"\nFileNotFoundError: a.jpg\n')
    failing(monkeypatch, FileNotFoundError(text))
    assert run(['count', CONFIG]) == 2
    assert capsys.readouterr().err == 'hrnet count: error: FileNotFoundError: a.jpg (traceback: --debug)\n'


def test_the_version(capsys):
    assert run(['--version']) == 0
    assert capsys.readouterr().out == f'{import_module("hrnet_plugin").__version__}\n'


@pytest.mark.parametrize(('words', 'suggestion'), [
    (['trian'], 'train'),
    (['bechmark'], 'benchmark'),
    (['leader_board'], 'leaderboard'),
    (['sampleset'], 'sample-set'),
    (['train', CONFIG, '--workdir', 'x'], '--work-dir'),
    (['train', CONFIG, '--amp', 'bf61'], 'bf16'),
    (['train', CONFIG, '--launcher', 'pytorhc'], 'pytorch'),
    (['test', CONFIG, '--checkpiont', 'x.pth'], '--checkpoint'),
    (['train', 'faster-rcnn_hrnetv2p-w18-smal-v1_sample'], CONFIG),
    (['config', 'mask-rcnn_hrnetv2p-w18-1x_coco'], 'mask-rcnn_hrnetv2p-w18_1x_coco'),
    (['convert', 'a.pth', 'b.pth', '--to', 'mmdte'], 'mmdet'),
    (['leaderboard', '--task', 'detecton'], 'detection'),
    (['submission', 'chekc', 'x.json'], 'check'),
    (['doctor', '--for', 'mmpse'], 'mmpose'),
    (['submission', 'pack', 'x.json', '--images', 'y.json', '--nmae', 'z'], '--name'),
])
def test_a_typo_gets_the_right_suggestion(words, suggestion, capsys):
    try:
        code = run(words)
    except SystemExit as exited:
        code = exited.code
    err = capsys.readouterr().err
    assert code == 2
    assert err.count('\n') == 1
    assert err.startswith('hrnet')
    assert f'Did you mean {suggestion}' in err


def test_misspelled_types_and_arguments_of_a_config(monkeypatch, capsys):
    def build(words):
        MODELS.build(dict(type=words[0], arch='w18', **{words[1]: 1}))

    monkeypatch.setattr('hrnet_plugin.cli.count.main', build)
    for words, suggestion in ((['hrnet_plugin.HRNte', 'in_channels'], 'hrnet_plugin.HRNet'),
                              (['hrnet_plugin.HRFPN', 'out_chanels'], 'out_channels')):
        assert run(['count', *words]) == 2
        err = capsys.readouterr().err
        assert f'Did you mean {suggestion}?' in err


@pytest.mark.parametrize(('error', 'message'), [
    (ValueError('shape must be\n  two numbers'), 'shape must be two numbers'),
    (FileNotFoundError(2, 'No such file or directory', 'a.pth'), 'a.pth: No such file or directory'),
    (KeyError('bbox'), 'KeyError: bbox'),
    (AssertionError(), 'AssertionError'),
    (RecursionError('too deep'), 'too deep'),
])
def test_an_error_is_one_line(error, message, monkeypatch, capsys):
    failing(monkeypatch, error)
    assert run(['count', CONFIG]) == 2
    assert capsys.readouterr().err == f'hrnet count: error: {message} (traceback: --debug)\n'
    assert run(['count', '--debug', CONFIG]) == 2
    err = capsys.readouterr().err
    assert err.startswith('Traceback (most recent call last)')
    assert err.endswith(f'hrnet count: error: {message}\n')


def test_the_log_of_a_run_gets_the_traceback(monkeypatch, capsys, tmp_path):
    failing(monkeypatch, ValueError('in the middle'))
    MMLogger.get_instance('of_a_run', log_file=str(tmp_path / 'run.log'))
    assert run(['count', CONFIG]) == 2
    assert capsys.readouterr().err.endswith(f'in the middle (traceback: {tmp_path / "run.log"})\n')
    log = (tmp_path / 'run.log').read_text()
    assert 'Traceback (most recent call last)' in log
    assert log.endswith('ValueError: in the middle\n\n')


def test_an_interrupt(monkeypatch, capsys):
    failing(monkeypatch, KeyboardInterrupt())
    assert run(['count', CONFIG]) == INTERRUPTED
    assert capsys.readouterr().err == 'hrnet count: error: interrupted\n'


@pytest.mark.parametrize('words', [[], ['config']])
def test_a_closed_pipe_is_quiet(words):
    read, write = os.pipe()
    os.close(read)
    env = {**os.environ, 'PYTHONPATH': str(ROOT), 'PYTHONWARNINGS': 'ignore'}
    done = subprocess.run([sys.executable, '-m', 'hrnet_plugin', *words], stdout=write, stderr=subprocess.PIPE,
                          text=True, check=False, env=env)
    os.close(write)
    assert (done.returncode, done.stderr) == (CLOSED_PIPE, '')


def test_main_reads_the_arguments_of_the_process(monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['x.py', '--version'])
    with pytest.raises(SystemExit) as exited:
        main()
    assert exited.value.code == 0
    monkeypatch.setattr(sys, 'argv', ['train.py', '--help'])
    with pytest.raises(SystemExit):
        main('train')
    assert 'usage: hrnet train' in capsys.readouterr().out


def test_train_takes_names_and_paths():
    pytest.importorskip('mmdet')
    from hrnet_plugin.cli.run_options import load_config
    config = load_config(train.parse_args([CONFIG, '--data-root', 'elsewhere']))
    assert isinstance(config, Config)
    assert config.work_dir == f'work_dirs/{CONFIG}'
    assert config.train_dataloader.dataset.data_root.startswith('elsewhere')


@pytest.mark.parametrize(('words', 'message'), [
    (['test', CONFIG, 'none.pth'], "checkpoint must be a file or an address, got 'none.pth'"),
    (['test', CONFIG], 'the following arguments are required: checkpoint'),
    (['leaderboard', '--task', 'classification'], 'the filters must match at least one row, got no match'),
    (['submission', '--foo'], 'unknown option --foo. All options: hrnet submission --help'),
    (['submission', 'check', 'x.json', '--images', 'y.json', '--foo'], 'unknown option --foo. All options'),
    (['ablate', 'pose_sample', '--budget', '-1'], 'argument --budget: must be at least 0, got -1'),
    (['leaderboard', '--source', 'own'], '--source own requires your results'),
])
def test_invalid_input_is_refused_before_anything_is_written(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        code = run(words)
    except SystemExit as exited:
        code = exited.code
    assert code == 2
    assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
