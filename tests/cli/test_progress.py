"""Progress is shown on terminals only, and never on stdout."""

from __future__ import annotations

import io
import sys

from hrnet_plugin.cli.progress import progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown_on(stream, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'stderr', stream)
    with progress('counting [all]'):
        print('a result')
    assert capsys.readouterr().out == 'a result\n'
    return stream.getvalue()


def test_a_terminal_shows_the_task(monkeypatch, capsys):
    monkeypatch.setenv('TERM', 'xterm')
    assert 'counting [all]' in shown_on(Terminal(), monkeypatch, capsys)


def test_files_and_pipes_stay_clean(monkeypatch, capsys):
    assert shown_on(io.StringIO(), monkeypatch, capsys) == ''


def test_a_stack_without_rich(monkeypatch, capsys):
    for name in ('rich', 'rich.console', 'rich.progress'):
        monkeypatch.setitem(sys.modules, name, None)
    assert shown_on(Terminal(), monkeypatch, capsys) == 'counting [all] ...\n'
