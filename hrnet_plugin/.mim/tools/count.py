from hrnet_plugin.cli import main

main('count')
