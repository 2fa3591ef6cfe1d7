"""Setup of a process in which a host runs models of this package.

Importing this module has two effects. torch can load mmengine's checkpoints with ``weights_only=True``. Each model that
is built afterwards is checked for compatible backbone, neck and heads.

The registry imports this module when a config first uses a model of this package. That is too late for inferencers of
mmdet and mmsegmentation, which load a checkpoint first. New-style configs do not use the registry. Therefore configs
also import it: ``custom_imports = dict(imports=['hrnet_plugin.plugin'])``.
"""

from hrnet_plugin.checkpoints.safe_globals import allow_mmengine_checkpoints
from hrnet_plugin.training.compatibility import enable_build_checks

allow_mmengine_checkpoints()
enable_build_checks()
