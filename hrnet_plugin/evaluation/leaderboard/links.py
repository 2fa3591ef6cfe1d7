"""Addresses of the sources, papers and checkpoints of published rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache

from hrnet_plugin.checkpoints.published import published

_SCHEME = 'https://'  # other addresses are names that only mmengine opens, or files in shared folders


def find_links(row: Mapping[str, str], sources: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return the addresses of a published row.

    Args:
        row: Row of a CSV file of published results.
        sources: Rows of ``sources.csv``: the source, a pattern of the place, and the address with ``{place}`` for it.
            The first that matches gives the address.

    Returns:
        'source', 'paper' and 'checkpoint' -> https address, without unknown ones. 'paper' is that of HRNet, for rows
        of the paper and of HRNets.
    """
    links = {'source': _address(row['source'], row['place'], sources)}
    if row['source'] == 'paper' or row['backbone'].startswith('HRNet'):
        links['paper'] = _address('paper', '', sources)
    links['checkpoint'] = _checkpoints().get(row['key'] or row['weights'], '')
    return {name: address for name, address in links.items() if address}


def _address(source: str, place: str, sources: Sequence[Mapping[str, str]]) -> str:
    return next((row['address'].format(place=place) for row in sources
                 if row['source'] == source and fnmatchcase(place, row['place'])), '')


@cache
def _checkpoints() -> Mapping[str, str]:
    """Return key or file name -> address of all published checkpoints that can be downloaded."""
    rows = [row for row in published() if row.address.startswith(_SCHEME)]
    return {name: row.address for row in reversed(rows) for name in (row.file_name, row.key) if name}
