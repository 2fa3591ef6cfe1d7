"""Tests of the escapes of foreign text: terminals, Markdown and CSV."""

from __future__ import annotations

import csv
import re
import unicodedata
from io import StringIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrnet_plugin.escaping import escape_controls, escape_csv, escape_markdown, escape_plot

FORMULA_STARTS = tuple('=+-@\uff1d\uff0b\uff0d\uff20\t\r\n')
PAYLOADS = [
    '', 'a', '=1', '+', '-', '@', '|', '\\', '\\|', '`', '``', '*', '**', '_', '~~', '[a](b)', '![a](b)', '<b>', '&lt;',
    '&#61;', 'http://a.b', 'www.a.b', 'WWW.a.b', 'a@b.c', '# ', '#', '> ', '- ', '1. ', '\n', '\r', '\t', ' ', ';', ',',
    '"', "'", '\x1b[31m', '\x1b]8;;http://a\x07', '\x9b', '\x7f', '\u202e', '\u2066', '\u2028', '\ud800', '\0',
    '\ufeff', '\u3000', '\uff1d', '$x$', '{a}`b`', ':::', '日本', '😀', '\u200d', '---', '===', '<!--', ']]>', '(', '!',
    '0.1', 'a_b', '&D', 'x;', ';-b', ';-1']
texts = st.lists(st.sampled_from(PAYLOADS) | st.text(max_size=3), max_size=6).map(''.join)
fuzzed = settings(max_examples=300)


@fuzzed
@given(texts)
def test_terminals_get_no_control_characters(text):
    escaped = escape_controls(text)
    assert not {unicodedata.category(letter) for letter in escaped.replace('\u200d', '').replace('\u200c', '')} & {
        'Cc', 'Cf', 'Cs', 'Zl', 'Zp'}
    escaped.encode()
    assert escape_controls(escaped) == escaped
    assert set(escape_controls(text, keep='\n')) - set(escaped) <= {'\n'}


@pytest.mark.parametrize(('text', 'expected'), [
    ('plain ü 日本 😀', 'plain ü 日本 😀'), ('a\x1b[31mb', r'a\x1b[31mb'), ('a\nb\r', r'a\nb\r'),
    ('\u202etxt', r'\u202etxt'),
       ('\x9b', r'\x9b'), ('\udc80', r'\udc80'), ('\U000e0041', r'\U000e0041'), ('👨\u200d👩', '👨\u200d👩')])
def test_control_characters_become_visible(text, expected):
    assert escape_controls(text) == expected


def elements(tokens):
    """Return the types of all tokens, and the text that a reader sees."""
    kinds, shown = [], []
    for token in tokens:
        kinds.append(token.type)
        shown.append(token.content if token.type in ('text', 'text_special') else '')
        inner_kinds, inner_shown = elements(token.children or [])
        kinds += inner_kinds
        shown.append(inner_shown)
    return kinds, ''.join(shown)


def mail_addresses(escaped):
    # Return the domains that cmark-gfm links. It has removed backslashes before, and knows only ASCII.
    found = re.findall(r'(?<=[\w.+-])@((?:[a-zA-Z0-9_@-]|\.(?=[a-zA-Z0-9]))*)', escaped.replace('\\', ''))
    return [domain for domain in found if '.' in domain and domain[-1].isalpha()]


@fuzzed
@given(texts)
@pytest.mark.parametrize(('start', 'end', 'kinds'), [
    ('# ', '', ['heading_open', 'inline', 'heading_close']),
    ('Name: ', ' is better', ['paragraph_open', 'inline', 'paragraph_close'])], ids=['heading', 'paragraph'])
def test_markdown_shows_the_text_and_nothing_else(start, end, kinds, text):
    parser = pytest.importorskip('markdown_it').MarkdownIt('commonmark').enable(['table', 'strikethrough'])
    escaped = escape_markdown(text)
    found, shown = elements(parser.parse(f'{start}{escaped}{end}\n'))
    comments = '@<!-- -->' in escaped
    assert [kind for kind in found if kind not in ('text', 'text_special') and not (
        comments and kind == 'html_inline')] == kinds
    assert f'# {shown}'.split() == f'# {start.lstrip("# ")}{escape_controls(" ".join(text.split()))}{end}'.split()
    # GitHub turns addresses into links, which the parser does not
    assert not re.search(r'(?<!\\)://|www\.', escaped, re.I)
    assert not mail_addresses(escaped)


@fuzzed
@given(st.lists(texts, min_size=2, max_size=2))
def test_markdown_tables_keep_their_cells(cells):
    from hrnet_plugin.evaluation.markdown import markdown_table
    parser = pytest.importorskip('markdown_it').MarkdownIt('commonmark').enable(['table', 'strikethrough'])
    tokens = parser.parse(markdown_table(['a', 'b'], [cells]))
    inline = [token for token in tokens if token.type == 'inline']
    assert [elements([token])[1].split() for token in inline[2:]] == [
        escape_controls(' '.join(cell.split())).split() for cell in cells]
    assert not {child.content if child.type == 'html_inline' else child.type
                for token in inline for child in token.children} - {'text', 'text_special', '<!-- -->'}


@pytest.mark.parametrize(('text', 'expected'), [
    ('a@b.c', 'a@<!-- -->b.c'), ('mailto:a@b_c.de', 'mailto:a@<!-- -->b_c.de'),
    ('a@b@c.d', 'a@<!-- -->b@<!-- -->c.d'), ('@user', '@<!-- -->user'), ('yolo@640', 'yolo@640'),
    ('AP @ 0.5', 'AP @ 0.5'), ('PCK@0.1', 'PCK@0.1'), ('a@b.c1', 'a@<!-- -->b.c1'), ('a@b.cä', 'a@<!-- -->b.cä'),
    ('AP@0.5 (@user)', 'AP@0.5 (@<!-- -->user)')])
def test_mail_addresses_and_names_of_users(text, expected):
    assert escape_markdown(text) == expected


@pytest.mark.parametrize(('text', 'expected'), [
    ('faster-rcnn_hrnetv2p-w18-1x_coco', 'faster-rcnn_hrnetv2p-w18-1x_coco'), ('_a_', r'\_a\_'), ('a__b', r'a\_\_b'),
    ('a_ b', r'a\_ b'), ('(_a)', r'(\_a)'), ('R&D', 'R&D'), ('A & B', 'A & B'), ('a&b c;', 'a&b c;'),
    ('&lt;', r'\&lt;'), ('&#61;', r'\&\#61;')])
def test_markdown_has_no_needless_escapes(text, expected):
    assert escape_markdown(text) == expected


@pytest.mark.parametrize('text', ['$x$', '$', '$$', r'a\$b$', r'$\frac$', '_x', '__', 'a_b^c', 'x' * 10**6, 'a\nb'])
def test_plots_show_texts_without_mathematics(text):
    from matplotlib.figure import Figure
    figure = Figure()
    axis = figure.add_subplot(xlabel=escape_plot(text))
    axis.plot([0, 1], label=escape_plot(text))
    legend, = axis.legend().get_texts()
    figure.canvas.draw()
    for label in (legend, axis.xaxis.label):
        shown, is_math = label._preprocess_math(label.get_text())
        assert not is_math
        assert shown.strip() in (escape_controls(text), f'{text[:117]}...')


@fuzzed
@given(texts, texts)
def test_csv_cells_are_no_formulas(first, second):
    from hrnet_plugin.evaluation.csv_rows import write_rows
    out = StringIO()
    write_rows(out, [[first, second, -1.5]])
    row, = csv.reader(StringIO(out.getvalue(), newline=''))
    assert row == [escape_csv(first), escape_csv(second), '-1.5']
    for cell in row[:2]:
        assert cell == '-' or not (cell.startswith(FORMULA_STARTS) or cell.lstrip().startswith(FORMULA_STARTS))
    for part in out.getvalue().split(';')[1:]:  # semicolons separate cells in many countries, also in quotes
        assert not part.startswith(('\t', '\r', '\n'))
        formula = part.lstrip().lstrip('"').lstrip()
        assert not formula.startswith(tuple('=@\uff1d\uff20'))
        cell = formula.split(',')[0].rstrip('"')  # the next cells would continue a number
        assert not formula.startswith(FORMULA_STARTS) or re.fullmatch(r'[+\-\uff0b\uff0d](\s*[^\W\d_]\w*)+\s*', cell)
    assert out.getvalue().count('\n') == 1


@pytest.mark.parametrize(('text', 'expected'), [
    ('=1+1', "'=1+1"), (' =1', "' =1"), ('\uff1d1', "'\uff1d1"), ('a;=1', "a;'=1"), ('a; b', 'a; b'),
    ('a; -b', 'a; -b'), ('lr=1;-x', 'lr=1;-x'), ('a; -b c;d', 'a; -b c;d'),
    ('a;-2', "a;'-2"), ('a;-b-2', "a;'-b-2"), ('a;-', "a;'-"),
    ('-', '-'), ('--', "'--"), ('-1', "'-1"), (' -', "' -"),
    ("a; -2+cmd|' /C calc'!A0", "a;' -2+cmd|' /C calc'!A0"), ('a;+SUM(1)', "a;'+SUM(1)"), ('a;"=1', 'a;\'"=1'),
    ('\t1', "'\t1"),
    ('a=b', 'a=b'), ('\ufeff=1', r'\ufeff=1'), ('a\0b', r'a\x00b'), ('a\u2028b\x85c', 'a b c'), ('', '')])
def test_csv_cells(text, expected):
    assert escape_csv(text) == expected
