"""Import of the plugin when a config is read. A base only."""
# Hosts' inferencers read a checkpoint before they build the model. The plugin has to be imported by then.
custom_imports = dict(imports=['hrnet_plugin.plugin'], allow_failed_imports=False)
