"""Texts of the shipped configs that occur on the page."""

from __future__ import annotations

from collections.abc import Sequence

from hrnet_plugin.config_files import list_configs
from hrnet_plugin.evaluation.leaderboard.entry import LOCAL, Entry


def config_texts(entries: Sequence[Entry]) -> dict[str, str]:
    """Return the texts of the shipped configs of published rows by name.

    A local result has none, because its config may differ from the shipped config of the same name. Names are looked
    up and are never part of a path, because a store may come from anyone.
    """
    files = list_configs()
    names = {entry.config for entry in entries if entry.source != LOCAL}
    return {name: files[name].read_text(encoding='utf-8') for name in sorted(names) if name in files}
