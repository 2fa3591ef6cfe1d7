"""Import of the plugin when a config is read. A base only."""
# The inferencers of the hosts read a checkpoint before they build the model, which requires the plugin.
custom_imports = dict(imports=['hrnet_plugin.plugin'], allow_failed_imports=False)
