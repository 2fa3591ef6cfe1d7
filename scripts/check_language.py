"""Report prose that departs from the language rules: docstrings, help texts, messages, comments, Markdown, notebooks.

    python scripts/check_language.py               # findings as FILE:LINE: RULE: message, then their number per rule
    python scripts/check_language.py --summary     # their number only
    python scripts/check_language.py --strict docs/how-to/pose.md

Exceptions are lines of language_exceptions.txt.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

from language_rules import RULES, Finding, check_segment
from language_text import read_markdown, read_notebook, read_python

ROOT = Path(__file__).resolve().parent.parent
DEFAULT = ('hrnet_plugin', 'packages', 'configs', 'docs', 'README.md', 'CONTRIBUTING.md', 'scripts',
           'benchmarks')
EXCEPTIONS = Path(__file__).with_name('language_exceptions.txt')
MAX_EXCEPTIONS = 30
_READERS = {'.ipynb': read_notebook, '.md': read_markdown, '.py': read_python}
_SKIPPED = ('build', 'dist', '__pycache__')


class LanguageError(Exception):
    """Invalid input of the language check."""


class Exemption(NamedTuple):
    """Accepted findings: those of a rule in matching files whose sentence contains a text."""

    path: str
    rule: str
    text: str
    reason: str

    def covers(self, path: str, finding: Finding) -> bool:
        """Return True if a finding in a file is accepted."""
        return (fnmatch(path, self.path) and finding.rule == self.rule
                and self.text.lower() in finding.excerpt.lower())


def read_exemptions(file: Path) -> list[Exemption]:
    """Read lines of the form ``PATH | RULE | TEXT | REASON``. PATH may contain ``*``.

    Raises:
        LanguageError: If a line is incomplete, its rule is unknown, or there are too many.
    """
    lines = [line.strip() for line in file.read_text(encoding='utf-8').splitlines()]
    lines = [line for line in lines if line and not line.startswith('#')]
    if len(lines) > MAX_EXCEPTIONS:
        raise LanguageError(f'{file.name} must have at most {MAX_EXCEPTIONS} exceptions, got {len(lines)}.')
    exemptions = []
    for line in lines:
        parts = [part.strip() for part in line.split('|')]
        if len(parts) != 4 or not all(parts) or parts[1] not in RULES:
            raise LanguageError(f'A line of {file.name} must be PATH | RULE | TEXT | REASON, got {line!r}. '
                                f'Rules: {", ".join(RULES)}.')
        exemptions.append(Exemption(*parts))
    return exemptions


def find_files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the Python files, Markdown files and notebooks of folders, and files that are named.

    Raises:
        LanguageError: If a path does not exist.
    """
    for path in paths:
        if not path.exists():
            raise LanguageError(f'PATH must be a file or a folder, got {path}.')
        if path.is_file():
            yield path
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if name not in _SKIPPED and not name.startswith('.'))
            yield from (Path(folder, name) for name in sorted(names) if Path(name).suffix in _READERS)


def check_file(path: Path) -> list[Finding]:
    """Return the findings in a file, ordered by line; none for a file of another type."""
    reader = _READERS.get(path.suffix)
    if reader is None:
        return []
    segments = reader(path.read_text(encoding='utf-8'))
    return sorted(finding for segment in segments for finding in check_segment(segment))


def check_paths(paths: Sequence[Path], exemptions: Sequence[Exemption]) -> Iterator[tuple[str, Finding]]:
    """Yield path and finding for each finding that no exemption covers."""
    for path in find_files(paths):
        name = os.path.relpath(path, ROOT)
        for finding in check_file(path):
            if not any(exemption.covers(name, finding) for exemption in exemptions):
                yield name, finding


def summarize(counts: Counter[str]) -> str:
    """Return one line with the number of findings per rule."""
    parts = ', '.join(f'{rule} {counts[rule]}' for rule in RULES)
    return f'language: {counts.total()} findings ({parts})'


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('paths', nargs='*', type=Path, default=[ROOT / name for name in DEFAULT], metavar='PATH',
                        help=f'files and folders to check (default: {" ".join(DEFAULT)})')
    parser.add_argument('--summary', action='store_true', help='print the number of findings per rule only')
    parser.add_argument('--strict', action='store_true', help='exit with 1 if there are findings (default: 0)')
    parser.add_argument('--exceptions', type=Path, default=EXCEPTIONS, metavar='FILE',
                        help='accepted findings (default: language_exceptions.txt beside this script)')
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the findings and return the exit code."""
    args = parse_args(arguments)
    counts: Counter[str] = Counter()
    try:
        for path, finding in check_paths(args.paths, read_exemptions(args.exceptions)):
            counts[finding.rule] += 1
            if not args.summary:
                print(f'{path}:{finding.line}: {finding.rule}: {finding.message}')
    except (LanguageError, OSError) as error:
        print(f'check_language: {error}', file=sys.stderr)
        return 2
    print(summarize(counts))
    return int(args.strict and counts.total() > 0)


if __name__ == '__main__':
    sys.exit(main())
