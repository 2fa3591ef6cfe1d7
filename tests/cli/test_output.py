"""Tests that nothing in a file changes the terminal: errors, tables, logs and progress bars."""

from __future__ import annotations

import logging
import re
import warnings

import pytest
from paths import ROOT
from rich.console import Console

from hrnet_plugin.cli.main import run
from hrnet_plugin.cli.output import escaped_logs, print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.run_tables import tables
from hrnet_plugin.evaluation.leaderboard.entry import Entry
from hrnet_plugin.evaluation.leaderboard.facts import DataFacts, ModelFacts, Scores
from hrnet_plugin.evaluation.leaderboard.ranking import rank
from hrnet_plugin.evaluation.leaderboard.tables import terminal_table
from hrnet_plugin.evaluation.run_evaluations import RunEvaluation
from hrnet_plugin.hosts import Metric

EVIL = 'a\x1b]0;title\x07\x1b[2J\x9b31m\u202e[red][link=https://evil.invalid]x'
ESCAPED = r'a\x1b]0;title\x07\x1b[2J\x9b31m\u202e[red][link=https://evil.invalid]x'


def is_plain(text):
    return not re.search('[^\n -~]', text)


def failing(monkeypatch, error):
    def fail(words):
        raise error

    monkeypatch.setattr('hrnet_plugin.cli.count.main', fail)


@pytest.mark.parametrize('error', [
    ValueError(EVIL), KeyError(EVIL), FileNotFoundError(2, 'No such file', f'{EVIL}\nhrnet: error: faked'),
    RuntimeError(f'x {EVIL}')], ids=lambda error: type(error).__name__)
@pytest.mark.parametrize('options', [[], ['--debug']])
def test_errors_are_plain_text(monkeypatch, capsys, error, options):
    failing(monkeypatch, error)
    assert run(['count', *options]) == 2
    shown = capsys.readouterr().err
    assert is_plain(shown)
    assert ESCAPED in shown
    assert options or shown.count('\n') == 1


def test_names_in_arguments(capsys):
    with pytest.raises(SystemExit):
        make_parser('count', 'x').parse_args([f'{EVIL}\n'])
    shown = capsys.readouterr().err
    assert is_plain(shown)
    assert shown.count('\n') == 1


def test_logs_are_plain_text(caplog):
    log = logging.getLogger('foreign')
    with escaped_logs():
        log.warning('%s: a line\nand another', EVIL)
        log.warning(EVIL)
    log.warning('%s', EVIL)
    assert [record.getMessage() for record in caplog.records] == [f'{ESCAPED}: a line\nand another', ESCAPED, EVIL]


def test_a_message_whose_arguments_do_not_fit_does_not_end_the_command(monkeypatch):
    monkeypatch.setattr(logging, 'raiseExceptions', False)  # as in a command
    log = logging.Logger('host')
    log.addHandler(logging.StreamHandler())
    with escaped_logs():
        log.warning('100% of the data', 1)


def test_warnings_are_plain_text():
    before = warnings.formatwarning
    with escaped_logs():
        shown = warnings.formatwarning(EVIL, UserWarning, 'a.py', 1)
    assert is_plain(shown)
    assert ESCAPED in shown
    assert warnings.formatwarning is before


def test_tables_are_plain_text():
    rows = [Entry(task='detection', source='own', place=EVIL, store=EVIL, number=number,
                  data=DataFacts(data=EVIL, split='x'), model=ModelFacts(method=EVIL),
                  scores=Scores(metrics={'AP': 1., EVIL: 2.})) for number in (1, 2)]
    console = Console(width=300, force_terminal=True, color_system=None)
    with console.capture() as captured:
        console.print(terminal_table(rank(rows)[0], width=300))
    text = re.sub(r'\x1b\[[0-9;]*m', '', captured.get())  # bold
    assert '\x1b' not in text
    assert '[red][link=https://evil.invalid]x' in text.replace('\n', '')
    assert '\u202e' not in text


def test_tables_of_runs_are_plain_text():
    metric = Metric(name=EVIL, key=EVIL, unit='unknown')
    evaluation = RunEvaluation(step=1, iteration=1, values={EVIL: 1.})
    assert is_plain(tables({EVIL: metric}, [evaluation]))


def test_texts_keep_their_lines(capsys):
    print_text(f'{EVIL}\nü\tx')
    assert capsys.readouterr().out == f'{ESCAPED}\nü\tx\n'


def test_all_commands_print_by_one_function():
    found = {path.name for path in (ROOT / 'hrnet_plugin').rglob('*.py')
             if re.search(r'(?<![\w.])print\(', path.read_text(encoding='utf-8'))}
    assert found == {'output.py'}
