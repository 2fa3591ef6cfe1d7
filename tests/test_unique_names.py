"""Names of test files: pytest imports them as top-level modules, so that equal names would hide each other."""

from __future__ import annotations

from collections import Counter

from paths import ROOT


def test_names_of_test_files_are_unique():
    names = Counter(file.name for folder in ('tests', 'packages') for file in (ROOT / folder).rglob('*.py'))
    assert [name for name, number in names.items() if number > 1 and name != '__init__.py'] == []
