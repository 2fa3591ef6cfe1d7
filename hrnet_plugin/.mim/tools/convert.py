from hrnet_plugin.cli import main

main('convert')
