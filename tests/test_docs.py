"""The configs in the documents build as they stand there, and the documents' links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from catalogue import host
from doc_commands import SHOWN_FILE
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from paths import ROOT

from hrnet_plugin.version import __version__

DOCUMENTS = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *(ROOT / 'docs').rglob('*.md'),
             *(ROOT / 'configs').rglob('README.md')]
CONFIGS = [(path.name, text) for path in DOCUMENTS
           for text in re.findall(r'```python\n(.*?)```', path.read_text(), re.S) if '_base_ = ' in text]
# configs of tutorials, which others on the same page inherit
SHOWN = {Path(name).name: text for path in DOCUMENTS for text, name in SHOWN_FILE.findall(path.read_text())}


@pytest.mark.parametrize(('document', 'text'), CONFIGS)
def test_a_config_in_a_document_builds(document, text, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)  # for modules that a page shows
    folder = tmp_path / 'mine'
    folder.mkdir()
    for name, other in SHOWN.items():
        (folder / name).write_text(other)
    inherited = re.search(r"_base_ = '(\w+\.py)'", text)
    root = SHOWN[inherited[1]] if inherited else text
    named, ours = re.search(r"_base_ = '(\w+)::", root), re.search(r"\.cfg\('(\S+)'\)", root)
    pytest.importorskip(named.group(1) if named else host(ours.group(1)))
    (folder / 'config.py').write_text(text)
    config = Config.fromfile(str(folder / 'config.py'))
    with DefaultScope.overwrite_default_scope(config.default_scope), torch.device('meta'):
        backbone = MODELS.build(config.model).backbone
    # 'resnet50.py' is the config that a reader starts from
    assert type(backbone).__module__.startswith('hrnet_plugin.') or '# mine/resnet50.py' in text


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
