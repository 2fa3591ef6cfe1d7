import sys

del sys.path[0]  # this folder: the standard library would find this file instead of its own inspect
__import__('hrnet_plugin.cli').cli.main('inspect')
