if __name__ == '__main__':
    import sys
    del sys.path[0]  # this folder: the standard library would find this file instead of its own inspect
    from hrnet_plugin.cli import main
    main('inspect')
