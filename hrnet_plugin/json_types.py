"""Types of parsed JSON files."""

from __future__ import annotations

from collections.abc import Mapping

#: Parsed JSON.
Json = str | int | float | bool | list['Json'] | dict[str, 'Json'] | None
#: JSON object whose entries are not checked yet.
JsonObject = Mapping[str, Json]
