"""Import errors, with commands that fix the common ones."""

from __future__ import annotations

import re

from hrnet_plugin.cli.diagnosis.problem import Problem

# requirements of mmengine, mmcv, the hosts, openmim and the network whose distribution has another name than the module
_RENAMED = {'PIL': 'pillow', 'cv2': 'opencv-python', 'importlib_metadata': 'importlib-metadata',
            'model_index': 'model-index', 'safetensors': "'safetensors>=0.4.0'", 'xtcocotools': "'numpy<2' xtcocotools",
            'yaml': 'pyyaml'}
# requirements whose distribution has the name of the module
_EQUAL = frozenset((
    'addict', 'click', 'colorama', 'einops', 'ftfy', 'imgaug', 'json_tricks', 'mat4py', 'matplotlib', 'mmdet',
    'modelindex', 'munkres', 'packaging', 'pandas', 'prettytable', 'pycocotools', 'regex', 'requests', 'rich', 'scipy',
    'shapely', 'six', 'tabulate', 'termcolor', 'terminaltables', 'tqdm', 'yapf'))
_COMMANDS = (
    # extension modules built against numpy 1, such as those of xtcocotools
    (r'numpy\.dtype size changed|numpy\.core\.multiarray failed|_ARRAY_API not found', "pip install 'numpy<2'"),
    # opencv-python requires desktop libraries
    (r'lib(GL|gthread)[\w.-]*\.so', 'pip uninstall -y opencv-python && pip install opencv-python-headless'),
)


def import_problem(name: str, error: str, default: str, affects: frozenset[str] = frozenset()) -> Problem:
    """Return the problem of a failed import.

    Args:
        name: Name and version of the module.
        error: Type and message of the error.
        default: Command for unknown errors.
        affects: Parts that do not work because of the error, among 'network' and the hosts.
    """
    return Problem(f'{name} must import, got {error}.', suggest_command(error, default), affects)


def suggest_command(error: str, default: str) -> str:
    """Return the command that fixes an import error, or the default for unknown errors."""
    missing = re.search(r"No module named '(\w+)", error)
    if missing and (missing[1] in _RENAMED or missing[1] in _EQUAL):
        return f'pip install {_RENAMED.get(missing[1], missing[1])}'
    return next((command for pattern, command in _COMMANDS if re.search(pattern, error)), default)


def print_traceback(module: str) -> str:
    """Return the command that prints the traceback of an import."""
    return f"python -c 'import {module}'  # prints the traceback"
