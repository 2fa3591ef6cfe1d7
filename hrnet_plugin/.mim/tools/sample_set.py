from hrnet_plugin.cli import main

main('sample-set')
