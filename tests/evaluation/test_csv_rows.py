"""Tests of CSV rows."""

from __future__ import annotations

from io import StringIO

import pytest

from hrnet_plugin.evaluation.csv_rows import write_rows


def text_of(*rows):
    out = StringIO()
    write_rows(out, rows)
    return out.getvalue()


@pytest.mark.parametrize('text', ['=1+2', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1'])
def test_texts_are_no_formulas(text):
    shown = text.replace('\r', ' ').replace('\n', ' ')
    assert text_of([text, 'a']) == f"'{shown},a\n"


def test_other_cells_are_unchanged():
    assert text_of(['a', -1, -.5, None, ''], ['a=1', 1e-5, True, 'x, "y"']) == (
        'a,-1,-0.5,,\na=1,1e-05,True,"x, ""y"""\n')


def test_a_row_is_a_line():
    assert text_of(['a\r\nb', '=\n1'], ['c']) == "a  b,'= 1\nc\n"
