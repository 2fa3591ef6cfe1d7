"""Types of the entries of configs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: Value in a config: plain data, or a class as in new-style configs.
ConfigValue = str | int | float | bool | type | Sequence['ConfigValue'] | Mapping[str, 'ConfigValue'] | None
#: Section of a config, such as ``norm_cfg=dict(type='BN')``.
ConfigEntry = Mapping[str, ConfigValue]
#: Initial weights, as in mmengine.
InitCfg = ConfigEntry | Sequence[ConfigEntry] | None
