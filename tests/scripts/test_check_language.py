"""The language check finds what departs from the rules, on the right line, and nothing else."""

from __future__ import annotations

import importlib
import json
from textwrap import dedent

import pytest
from paths import ROOT


@pytest.fixture(scope='module')
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / 'scripts'))
        yield importlib.import_module('check_language')


@pytest.fixture
def check(script, tmp_path):
    """Return a function that returns line and rule of each finding in a text."""
    def check(text, name='file.py'):
        (tmp_path / name).write_text(dedent(text))
        return [(finding.line, finding.rule) for finding in script.check_file(tmp_path / name)]

    return check


def function(docstring):
    return f'def function():\n    """{docstring}"""\n'


@pytest.mark.parametrize('line', [
    'Fold a batch norm into the preceding convolution.', 'Return True if the file exists.', 'Yield:',
    'Lazily import the module.', 'Apply ReLU.', 'Multiply the inputs elementwise.', "Return 'a', or ''."])
def test_first_lines_of_functions(check, line):
    assert check(function(line)) == []


@pytest.mark.parametrize('line', [
    'Whether the file exists.', 'What a model computes.', 'Of a column of numbers.', 'With its size.', 'As above.',
    'How long it takes.', 'Where a file is.', 'The record of a test.', 'A record.', 'Names of the images.',
    'Sum of the losses.', 'Returns the sum.', '``True`` if the file exists.', '``count`` things.', 'AP50 by class.',
    'Return the sum of all', 'Do they fit?'])
def test_wrong_first_lines_of_functions(check, line):
    assert check(function(line)) == [(2, 'first-line')]


@pytest.mark.parametrize('decorator', ['property', 'functools.cached_property'])
def test_properties_are_noun_phrases(check, decorator):
    source = f'class Box:\n    @{decorator}\n    def size(self):\n        """%s"""\n'
    assert check(source % 'Height and width.') == []
    assert check(source % 'What is in it.') == [(4, 'first-line')]


@pytest.mark.parametrize('line', [
    'Feature pyramid built from all HRNet streams.', 'The store of evaluations.', 'A row of a table.',
    'Checks of arguments.', 'Record of a test.', 'All paths into one resolution.',
    "Backbone with its representation, e.g. 'HRNetV2p-W32'."])
def test_first_lines_of_classes_and_modules(check, line):
    assert check(f'"""{line}"""\n') == []
    assert check(f'class Name:\n    """{line}"""\n') == []


@pytest.mark.parametrize('line', [
    'What a model computes.', 'Of one image, in pixels.', 'From cells to pixels.', 'Whether a file fits.',
    'A corner sees the borders of its object.', 'Evaluations are kept.', 'Write a table.', 'Parts of a model'])
def test_wrong_first_lines_of_classes_and_modules(check, line):
    assert check(f'"""{line}"""\n') == [(1, 'first-line')]
    assert check(f'class Name:\n    """{line}"""\n') == [(2, 'first-line')]


def test_commands_begin_with_a_verb(check):
    assert check('"""Write a table."""\ndef main(): pass\n') == []


@pytest.mark.parametrize(('text', 'is_right'), [
    ('Class scores, shape (N, C).', True), ('Whether to copy.', True), ('One of ``RULES``.', True),
    ('If it fails.', True),
    ('What distinguishes it.', False), ('Of each image.', False), ('As in `f`.', False), ('Is changed.', False),
    ('Its path.', False), ('How many boxes.', False), ('With `a`: the least number.', False)])
def test_entries(check, text, is_right):
    for section in ('Args', 'Attributes', 'Raises'):
        source = f'def f(a):\n    """Return a sum.\n\n    Prose.\n\n    {section}:\n        a: {text}\n    """\n'
        assert check(source) == ([] if is_right else [(7, 'entry')])


LONG = ' '.join(['word'] * 26)


@pytest.mark.parametrize(('source', 'line'), [
    (f'"""Title.\n\n{LONG}.\n"""', 3),
    (f'"""Title.\n\nA sentence. {LONG}.\n"""', 3),
    (f'class A:\n    """Title.\n\n    Attributes:\n        a: Short.\n        b: {LONG}.\n    """\n', 6),
    (f'"""Title.\n\n- Short.\n- {LONG}\n"""', 4),
    (f'parser.add_argument(\n    help="{LONG}")', 2),
    (f'parser.add_argument(\n    help=f"{LONG} {{default}}")', 2)])
def test_long_sentences(check, source, line):
    assert check(source) == [(line, 'sentence-length')]


@pytest.mark.parametrize('source', [
    f'"""Title.\n\n{LONG[:-5]}. {LONG[:-5]}.\n"""',
    f'"""Title.\n\n`{LONG}` is one word.\n"""',
    f'"""Title.\n\nExample::\n\n    {LONG}\n"""',
    f'"""Title.\n\n    {LONG}\n"""',
    f'"""Title.\n\n>>> {LONG}\n{LONG}\n"""',
    f'"""Title.\n\nExamples:\n    {LONG}\n"""',
    f'class A:\n    """Title.\n\n    Args:\n        a: {LONG[:-5]}\n        b: {LONG[:-5]}\n    """\n',
    f'# {LONG}\n',
    f'text = "{LONG}"\n'])
def test_sentences_that_are_not_long(check, source):
    assert check(source) == []


def test_sentences_in_markdown(check):
    most = ' '.join(['word'] * 30)
    assert check(f'# Title\n\n{most}. {most}.\n\n- {most}\n- {most}\n\n{most}\n', 'a.md') == []
    assert check(f'# {most} word\n| {most} word |\n```\n{most} word.\n```\n\n    {most} word\n', 'a.md') == []
    assert check(f'Text.\n{most} word. Text.\n\n- {most}\n  word\n', 'a.md') == [(2, 'sentence-length'),
                                                                               (4, 'sentence-length')]


@pytest.mark.parametrize(('text', 'rule'), [
    ('One (two (three)).', 'parentheses'), ('One (of shape (N, C, H, W), or `f((x))`).', None),
    ('One (as f(x) is) and [a link (two)](file.md).', None), ('One (two) (three).', None),
    ('One; two; three.', 'semicolons'), ('One; two. Three; four.', None)])
def test_shape_of_sentences(check, text, rule):
    found = [(1, rule)] if rule else []
    assert check(text, 'a.md') == found
    assert check(f'"""Title.\n\n{text}\n"""') == [(3, rule) for _, rule in found]


@pytest.mark.parametrize(('wrong', 'right'), [
    ('the fast form', 'the fast path'), ('all maps have 256 channels', 'all feature maps have 256 channels'),
    ('it thinned out boxes', 'NMS removed boxes'), ('bumps of 3 pixels', 'Gaussian peaks of 3 pixels'),
    ('the order of colours', 'the channel order'), ('norms that train', 'norms in training mode'),
    ('steps of four images', 'iterations with batch size 4'), ('the initial rate', 'the initial learning rate'),
    ('pictures of it', '`--pictures` of it'), ('it was not there', 'file not found'),
    ('mmdet wants a file', 'mmdet requires a file'), ('kinds of errors', 'error types'),
    ('own results', 'your results'), ("the host's own HRNet", 'the upstream HRNet'), ('true boxes', 'true positives'),
    ('1000 regions', '1000 proposals'), ('one line an image', 'one line per image'),
    ('131,072 pixels a GPU', 'one of a class'), ('an heir of it', 'a derived config'),
    ("a network's names", 'state-dict keys'), ('fixed statistics', 'frozen batch norms')])
def test_words(check, wrong, right):
    for text, found in ((wrong, [(1, 'word')]), (right, [])):
        assert [item for item in check(f'See {text}.', 'a.md') if item[1] == 'word'] == found
        assert [item for item in check(f'# See {text}') if item[1] == 'word'] == found
        assert [item for item in check(f'raise ValueError(f"{{key}}: {text}")') if item[1] == 'word'] == found


def test_words_on_the_right_line(check):
    assert check('Text.\nTrue\nboxes are\nhere. And own\nresults.\n', 'a.md') == [(2, 'word'), (4, 'word')]
    assert check('x = 1  # bumps\n# one line\n# an image\n') == [(1, 'word'), (2, 'word')]
    assert check('| a | b |\n| bumps | pictures |\n', 'a.md') == [(2, 'word'), (2, 'word')]


def test_rhetoric(check):
    assert check('The config says so, and it is not seen to fail.', 'a.md') == [(1, 'rhetoric'), (1, 'rhetoric')]
    assert check('The config specifies it.', 'a.md') == []


@pytest.mark.parametrize(('british', 'american'), [
    ('colour', 'color'), ('behaviours', 'behaviors'), ('initialise', 'initialize'), ('optimiser', 'optimizer'),
    ('normalisation', 'normalization'), ('centre', 'center'), ('grey', 'gray'), ('labelled', 'labeled'),
    ('analysed', 'analyzed'), ('analyser', 'analyses'),
    ('licence', 'license'), ('neighbourhood', 'neighborhood'), ('5 per cent', '5 percent'),
    ('recognises', 'precise'), ('serialised', 'raised'), ('generalising', 'promising'), ('metres', 'metrics')])
def test_spelling(check, british, american):
    assert check(f'A {british}.', 'a.md') == [(1, 'spelling')]
    assert check(f'A {american}.', 'a.md') == []
    assert check(f'"""Title `{british}`."""\nvalue = "{british}"\n') == []


def test_notebooks(check):
    cells = [dict(cell_type='markdown', source=['# Title\n', '\n', 'The bumps.']),
             dict(cell_type='code', source=['%%bash\n', 'echo bumps']),
             dict(cell_type='code', source=['# Show the pictures.\n', 'x = 1'])]
    text = json.dumps(dict(cells=cells), indent=1)
    lines = [number for number, line in enumerate(text.split('\n'), 1) if 'The bumps' in line or 'pictures' in line]
    assert check(text, 'a.ipynb') == [(line, 'word') for line in lines]


def test_report(script, tmp_path, capsys):
    file = tmp_path / 'a.md'
    file.write_text('Fine.\n')
    assert script.main([str(tmp_path), '--strict']) == 0
    assert capsys.readouterr().out.startswith('language: 0 findings (first-line 0, entry 0, ')
    (tmp_path / 'build').mkdir()
    for path in (file, tmp_path / 'build' / 'a.md'):
        path.write_text('Own rows; own results;\n\nColour;\n')
    assert script.main([str(tmp_path)]) == 0
    *lines, summary = capsys.readouterr().out.splitlines()
    assert [line.split(' ', 2)[:2] for line in lines] == [
        [f'{script.os.path.relpath(file, ROOT)}:{line}:', f'{rule}:']
        for line, rule in ((1, 'semicolons'), (1, 'word'), (1, 'word'), (3, 'spelling'))]
    assert summary.startswith('language: 4 findings (')
    assert 'semicolons 1, word 2, rhetoric 0, spelling 1' in summary
    assert script.main([str(file), '--summary', '--strict']) == 1
    assert capsys.readouterr().out.splitlines() == [summary]
    assert script.main([str(tmp_path / 'missing')]) == 2
    assert 'PATH must be a file or a folder' in capsys.readouterr().err


def test_exceptions(script, tmp_path, capsys):
    exceptions, file = tmp_path / 'exceptions.txt', tmp_path / 'a.md'
    file.write_text('Own rows. Own results.\n')

    def total(text):
        exceptions.write_text(text)
        code = script.main([str(file), '--summary', '--exceptions', str(exceptions)])
        return code or int(capsys.readouterr().out.split()[1]) + 100

    assert total('# a comment\n') == 102
    assert total('*/a.md | word | own ROWS | a key of the store\n') == 101
    assert total('*/b.md | word | own rows | a key of the store\n') == 102
    assert total('*/a.md | spelling | own rows | a key of the store\n') == 102
    assert total('*/a.md | word | own rows |\n') == 2
    assert total('*/a.md | words | own rows | a key of the store\n') == 2
    assert total('*/b.md | word | text | reason\n' * 31) == 2
    assert 'at most 30 exceptions, got 31' in capsys.readouterr().err


def test_exceptions_of_this_project(script):
    script.read_exemptions(script.EXCEPTIONS)


def test_the_check_passes_its_own_rules(script):
    files = [*(ROOT / 'scripts').glob('language_*.py'), ROOT / 'scripts' / 'check_language.py']
    assert len(files) == 4
    assert [finding for file in files for finding in script.check_file(file)] == []
