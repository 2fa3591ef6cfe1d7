"""Preparation of a process in which a host runs models of this package.

Importing this module lets torch read this package's own checkpoints in its safe mode, and checks that the parts of
every model fit that is built from then on. The registry imports it when a config first names a model of this package.
Inferencers of mmdet and mmsegmentation read a checkpoint before they build a model, and new-style configs name classes.
Therefore configs also import it: ``custom_imports = dict(imports=['hrnet_plugin.plugin'])``.
"""

from hrnet_plugin.checkpoints.safe_globals import allow_mmengine_checkpoints
from hrnet_plugin.training.compatibility import watch_building

allow_mmengine_checkpoints()
watch_building()
