"""Scripts, one job each: ``mim train|test hrnet_plugin ...`` and ``mim run hrnet_plugin TOOL ...``."""
