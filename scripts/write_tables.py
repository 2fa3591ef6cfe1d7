"""Write the tables of the documents, the metafiles and the index from the CSV files of published figures.

    python scripts/write_tables.py            # write the files that differ
    python scripts/write_tables.py --check    # name the files that differ, and exit with 1

A document contains its tables between the lines ``<!-- table: NAME -->`` and ``<!-- end of table -->``. Metafiles and
the index are written whole. Figures are changed in ``hrnet_plugin/evaluation/leaderboard/published/`` and
``hrnet_plugin/checkpoints/published.csv``, and metrics in ``hrnet_plugin/hosts/``.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / 'scripts')]

from tables_cluster import gradient_table  # noqa: E402
from tables_commands import commands_page  # noqa: E402
from tables_configs import config_tables  # noqa: E402
from tables_derived import derived_tables  # noqa: E402
from tables_families import FAMILIES  # noqa: E402
from tables_markdown import checkpoint_tables, detector_table, family_table  # noqa: E402
from tables_metafile import index, metafile  # noqa: E402
from tables_metrics import metric_table  # noqa: E402
from tables_sources import Sources, read_sources  # noqa: E402

from hrnet_plugin.hosts import HOSTS  # noqa: E402

_REGION = re.compile(r'(?<=^<!-- table: )(?P<name>\S+)(?P<start> -->\n).*?(?=^<!-- end of table -->$)', re.M | re.S)


def fill_regions(text: str, tables: Mapping[str, str]) -> str:
    """Return a document with its tables replaced.

    Args:
        text: Document.
        tables: Name of each table -> its text.

    Raises:
        ValueError: The document does not contain each table once.
    """
    found = [match['name'] for match in _REGION.finditer(text)]
    if sorted(found) != sorted(tables):
        raise ValueError(f'The document must contain the tables {sorted(tables)} once each, got {found}.')
    return _REGION.sub(lambda match: f'{match["name"]}{match["start"]}\n{tables[match["name"]]}\n\n', text)


def documents(root: Path, sources: Sources) -> Iterator[tuple[Path, str]]:
    """Yield path and text of each generated file."""
    tables = {f'configs/{family.folder}/README.md': {'configs': family_table(sources, family)} for family in FAMILIES}
    tables['docs/reference/checkpoints.md'] = {'checkpoints': checkpoint_tables(sources)}
    tables['docs/reference/configs.md'] = {'detectors': detector_table(sources), 'configs': config_tables(sources)}
    tables['docs/reference/metrics.md'] = {name: metric_table(host) for name, host in HOSTS.items()}
    tables['docs/how-to/cluster.md'] = {'gradients': gradient_table()}
    tables['docs/reports/derived.md'] = derived_tables(root)
    for name, regions in tables.items():
        try:
            yield root / name, fill_regions((root / name).read_text(encoding='utf-8'), regions)
        except ValueError as error:
            raise ValueError(f'{name}: {error}') from error
    for family in FAMILIES:
        yield root / 'configs' / family.folder / 'metafile.yml', metafile(sources, family)
    yield root / 'model-index.yml', index()
    yield root / 'docs' / 'reference' / 'commands.md', commands_page()


def parse_args(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--check', action='store_true', help='write nothing, and fail if a file differs')
    parser.add_argument('--root', type=Path, default=ROOT, metavar='FOLDER',
                        help='repository to read and write (default: that of this script)')
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the files, and return the exit code."""
    args = parse_args(arguments)
    changed = {path: text for path, text in documents(args.root, read_sources(args.root))
               if not path.is_file() or path.read_text(encoding='utf-8') != text}
    for path, text in changed.items():
        if not args.check:
            path.write_text(text, encoding='utf-8')
        print(f'{path.relative_to(args.root)}: {"differs" if args.check else "written"}')
    if changed and args.check:
        print('Run python scripts/write_tables.py.', file=sys.stderr)
    return int(args.check and bool(changed))


if __name__ == '__main__':
    sys.exit(main())
