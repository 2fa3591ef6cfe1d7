"""Commands that install what parts of the package need, for error messages."""

from __future__ import annotations

# import name -> what pip installs; mmpose requires chumpy, which it never imports and which does not build today
_COMMANDS = {
    'mmengine': 'pip install mmengine (or onedl-mmengine)',
    'mmdet': 'pip install mmdet',
    'mmpose': 'pip install --no-deps mmpose && pip install json_tricks munkres xtcocotools',
    'mmseg': 'pip install mmsegmentation ftfy regex',
    'mmsegmentation': 'pip install mmsegmentation ftfy regex',
    'mmpretrain': 'pip install mmpretrain',
}


def install_command(name: str) -> str:
    """Return the command that installs an optional package.

    Args:
        name: Name of the package, as it is imported or distributed.
    """
    return _COMMANDS.get(name, f'pip install {name}')
