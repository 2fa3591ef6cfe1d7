"""The interactive examples of the documents give the output that stands there."""

from __future__ import annotations

import doctest
import re

import pytest
from paths import ROOT

_BLOCK = re.compile(r'^```(?:python|pycon)\n(.*?)^```$', re.S | re.M)


def examples(text):
    """Return the interactive examples of a document, each in one block after a blank line."""
    return '\n'.join(block for block in _BLOCK.findall(text) if '>>> ' in block)


def run(text, name):
    """Run the examples of a document in one namespace and return the number of failures."""
    test = doctest.DocTestParser().get_doctest(examples(text), {}, name, name, 0)
    return doctest.DocTestRunner(verbose=False).run(test).failed


DOCUMENTS = [path for path in [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]
             if examples(path.read_text(encoding='utf-8'))]


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_give_their_output(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(document.read_text(encoding='utf-8'), document.name) == 0


@pytest.mark.parametrize(('value', 'failures'), [('3', 0), ('4', 1)])
def test_blocks_share_names(value, failures, capsys):
    text = f'A\n\n```python\n>>> a = 1\n```\n\n```sh\n>>> no Python\n```\n\n```python\n>>> a + 2\n{value}\n```\n'
    assert run(text, 'page') == failures
