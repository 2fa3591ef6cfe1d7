"""Tables in Markdown whose cells may come from anyone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hrnet_plugin.escaping import escape_markdown


class Bold(str):
    """Text of a table cell in bold."""


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown without a line break at its end.

    Args:
        head: Titles of the columns, as plain text.
        rows: Cells of each row, as plain text or :class:`Bold`.
    """
    lines = [f'| {" | ".join(map(_cell, cells))} |' for cells in (head, *rows)]
    lines.insert(1, '|' + '---|' * len(head))
    return '\n'.join(lines)


def _cell(text: str) -> str:
    escaped = escape_markdown(text)
    return f'**{escaped}**' if isinstance(text, Bold) and escaped else escaped
