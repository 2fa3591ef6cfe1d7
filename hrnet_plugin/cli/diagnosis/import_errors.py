"""Problems of imports, with the commands that fix well-known errors."""

from __future__ import annotations

import re

from hrnet_plugin.cli.diagnosis.problem import Problem

# what mmengine, mmcv, the hosts and openmim import, and the network: names of distributions, by import name if another
_RENAMED = {'PIL': 'pillow', 'cv2': 'opencv-python', 'importlib_metadata': 'importlib-metadata',
            'model_index': 'model-index', 'safetensors': "'safetensors>=0.4.0'", 'xtcocotools': "'numpy<2' xtcocotools",
            'yaml': 'pyyaml'}
_EQUAL = frozenset((
    'addict', 'click', 'colorama', 'einops', 'ftfy', 'imgaug', 'json_tricks', 'mat4py', 'matplotlib', 'mmdet',
    'modelindex', 'munkres', 'packaging', 'pandas', 'prettytable', 'pycocotools', 'regex', 'requests', 'rich', 'scipy',
    'shapely', 'six', 'tabulate', 'termcolor', 'terminaltables', 'tqdm', 'yapf'))
_COMMANDS = (
    # extension modules that were built against numpy 1, such as those of xtcocotools
    (r'numpy\.dtype size changed|numpy\.core\.multiarray failed|_ARRAY_API not found', "pip install 'numpy<2'"),
    # opencv-python needs the libraries of a desktop
    (r'lib(GL|gthread)[\w.-]*\.so', 'pip uninstall -y opencv-python && pip install opencv-python-headless'),
)


def import_problem(name: str, error: str, default: str, affects: frozenset[str] = frozenset()) -> Problem:
    """Return the problem of an import.

    Args:
        name: What does not import, with its version.
        error: Type and message of the error.
        default: Command for an error that is not known.
        affects: What does not work because of it.
    """
    return Problem(f'{name} must import, got {error}.', suggest_command(error, default), affects)


def suggest_command(error: str, default: str) -> str:
    """Return the command that fixes an error of an import, or the default if the error is not known."""
    missing = re.search(r"No module named '(\w+)", error)
    if missing and (missing[1] in _RENAMED or missing[1] in _EQUAL):
        return f'pip install {_RENAMED.get(missing[1], missing[1])}'
    return next((command for pattern, command in _COMMANDS if re.search(pattern, error)), default)


def print_traceback(module: str) -> str:
    """Return the command that prints the traceback of an import."""
    return f"python -c 'import {module}'  # prints the traceback"
