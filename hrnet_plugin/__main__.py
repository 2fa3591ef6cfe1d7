"""``python -m hrnet_plugin``: the console command ``hrnet``."""

from hrnet_plugin.cli import main

if __name__ == '__main__':
    main()
