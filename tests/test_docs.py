"""The configs in the documents build as they stand there, and the documents' links lead somewhere."""

from __future__ import annotations

import re

import pytest
import torch
from catalogue import host
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from paths import ROOT

from hrnet_plugin.version import __version__

DOCUMENTS = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *(ROOT / 'docs').glob('*.md'),
             *(ROOT / 'configs').rglob('README.md')]
CONFIGS = [(path.name, text) for path in DOCUMENTS
           for text in re.findall(r'```python\n(.*?)```', path.read_text(), re.S) if '_base_ = ' in text]


@pytest.mark.parametrize(('document', 'text'), CONFIGS)
def test_a_config_in_a_document_builds(document, text, tmp_path):
    named, ours = re.search(r"_base_ = '(\w+)::", text), re.search(r"\.cfg\('(\S+)'\)", text)
    pytest.importorskip(named.group(1) if named else host(ours.group(1)))
    (tmp_path / 'config.py').write_text(text)
    config = Config.fromfile(str(tmp_path / 'config.py'))
    with DefaultScope.overwrite_default_scope(config.default_scope), torch.device('meta'):
        assert type(MODELS.build(config.model).backbone).__module__.startswith('hrnet_plugin.')


@pytest.mark.parametrize('document', DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document):
    for link, anchor in re.findall(r'\]\(([^)#]*)(?:#([^)]*))?\)', document.read_text()):
        if link.startswith('https://'):
            continue
        target = document.parent / link if link else document
        assert target.exists(), link
        if anchor:
            headings = re.findall(r'^#+ (.*)$', target.read_text(), re.M)
            assert anchor in [re.sub(r'[^\w -]', '', heading).lower().replace(' ', '-') for heading in headings], anchor


def test_the_citation_has_the_version():
    assert re.search(r'^version: (.*)$', (ROOT / 'CITATION.cff').read_text(), re.M)[1] == __version__
