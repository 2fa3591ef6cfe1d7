"""Script that runs probes in a subprocess and writes their results as JSON.

    python -c "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')" SCRIPT TARGET PROBES

PROBES is JSON: key -> (probe, argument). An import may raise any error or terminate the process. So TARGET is written
after each probe.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import metadata
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import Any

Found = dict[str, Any]
HOST_PARTS = ('models', 'datasets', 'evaluation', 'visualization')
LONGEST_ERROR = 300


def examine_distributions(found: Found, names: str) -> None:
    """List the installed distributions among ``names`` (separated by commas), in the order of ``sys.path``."""
    wanted = set(names.split(','))
    found['distributions'] = []
    for distribution in metadata.distributions():
        name = str(distribution.metadata['Name']).lower().replace('_', '-')
        if name in wanted:
            found['distributions'].append({
                'name': name, 'version': str(distribution.version), 'folder': str(distribution.locate_file('')),
                **read_source(distribution.read_text('direct_url.json') or '{}')})


def read_source(direct_url: str) -> Found:
    """Return the URL from which pip installed a distribution, from the text of its ``direct_url.json``."""
    try:
        record = json.loads(direct_url)
        return {'url': str(record.get('url', '')), 'is_editable': bool(record.get('dir_info', {}).get('editable'))}
    except (ValueError, AttributeError):
        return {'url': '', 'is_editable': False}


def examine_modules(found: Found, names: str) -> None:
    """Locate modules (separated by commas) without importing them: name -> file and folders."""
    found.update(modules={}, search_path=sys.path)
    for name in names.split(','):
        spec = locate(name, found['modules'].get(name.rpartition('.')[0], {}).get('folders', []))
        if spec is not None:
            origin = spec.origin if spec.has_location else None  # a namespace package has no file
            found['modules'][name] = {'file': origin or '', 'folders': list(spec.submodule_search_locations or ())}


def locate(name: str, parent_folders: list[str]) -> ModuleSpec | None:
    """Return the specification of a module, or None if there is none. A broken finder may raise any error."""
    try:
        return PathFinder.find_spec(name, parent_folders) if '.' in name else find_spec(name)
    except Exception:
        return None


def examine_torch(found: Found, _: str) -> None:
    """Import torch and list the GPUs."""
    import torch
    found.update(version=torch.__version__, cuda=torch.version.cuda or '')
    found['numpy_error'] = convert_array()
    try:
        found['gpus'] = ', '.join(torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count()))
        found['devices'] = torch.cuda.device_count()
    except Exception as error:  # driver errors
        found['gpus'] = describe(error)


def convert_array() -> str:
    """Return the error of converting a numpy array to torch. Empty if it works or if numpy does not import."""
    import torch
    try:
        import numpy
    except Exception:
        return ''
    try:
        torch.from_numpy(numpy.zeros(1))
    except Exception as error:  # torch is built for another numpy
        return describe(error)
    return ''


def examine_torchvision(found: Found, _: str) -> None:
    """Raise an error if the operators of torchvision are missing, e.g. with a torch of another build.

    Their CUDA version is -1 in a build without CUDA.
    """
    import torch
    import torchvision
    found['version'] = torchvision.__version__
    found['operator'] = str(torch.ops.torchvision.nms)
    found['cuda'] = torch.ops.torchvision._cuda_version()


def examine_mmengine(found: Found, _: str) -> None:
    """Import mmengine, and find the plugin as mmengine and mim do."""
    import mmengine
    found['version'] = mmengine.__version__
    from mmengine.utils import get_installed_path
    with suppress(Exception):  # no pkg_resources, or the plugin is not installed
        found['plugin'] = str(get_installed_path('hrnet_plugin'))


def examine_mmcv(found: Found, _: str) -> None:
    """Import the parts of mmcv that the network requires."""
    found['version'] = importlib.import_module('mmcv').__version__
    importlib.import_module('mmcv.cnn')


def examine_operators(found: Found, _: str) -> None:
    """Import the operators of mmcv. Those of mmcv-torch-ops have the attribute ``ORIGIN``."""
    importlib.import_module('torch')  # a compiled mmcv._ext is linked with its libraries
    operators = importlib.import_module('mmcv._ext')
    found['origin'] = getattr(operators, 'ORIGIN', '')
    if hasattr(operators, 'get_compiling_cuda_version'):
        found['cuda'] = operators.get_compiling_cuda_version()


def examine_host(found: Found, name: str) -> None:
    """Import the parts of a host that training imports. The import of the package alone only checks versions."""
    found['version'] = importlib.import_module(name).__version__
    for part in HOST_PARTS:
        importlib.import_module(f'{name}.{part}')


def examine_import(found: Found, name: str) -> None:
    found['version'] = str(getattr(importlib.import_module(name), '__version__', ''))


def examine_network(found: Found, folder: str) -> None:
    """Import the network. ``folder`` is appended to ``sys.path`` for a plugin that is not installed."""
    sys.path.append(folder)
    importlib.import_module('hrnet_plugin.models')


def examine_checkpoint(found: Found, folder: str) -> None:
    """Read a checkpoint of mmengine's runner with ``weights_only=True``, the default since torch 2.6."""
    import numpy
    import torch
    from mmengine.logging import HistoryBuffer
    sys.path.append(folder)
    from hrnet_plugin.checkpoints import allow_mmengine_checkpoints
    allow_mmengine_checkpoints()
    torch.save({'message_hub': {'loss': HistoryBuffer()}, 'colors': numpy.zeros((0, 3))}, 'checkpoint.pth')
    if tuple(int(part) for part in torch.__version__.split('.')[:2]) >= (2, 6):
        torch.load('checkpoint.pth', weights_only=True)
    else:
        torch.load('checkpoint.pth')


def describe(error: BaseException) -> str:
    """Return the type and the message of an error in one line."""
    return ' '.join(f'{type(error).__name__}: {error}'.split())[:LONGEST_ERROR].rstrip('.')


PROBES: dict[str, Callable[[Found, str], None]] = {
    'distributions': examine_distributions, 'modules': examine_modules, 'torch': examine_torch,
    'torchvision': examine_torchvision, 'mmengine': examine_mmengine, 'mmcv': examine_mmcv,
    'mmcv._ext': examine_operators, 'host': examine_host, 'import': examine_import, 'network': examine_network,
    'checkpoint': examine_checkpoint}


def main(target: str, probes: str) -> None:
    """Run the probes in order."""
    results: dict[str, Found] = {}
    for key, (probe, argument) in json.loads(probes).items():
        found: Found = {}
        try:
            PROBES[probe](found, argument)
        except BaseException as error:  # including SystemExit
            found['error'] = describe(error)
        results[key] = found
        Path(f'{target}.part').write_text(json.dumps(results), encoding='utf-8')
        os.replace(f'{target}.part', target)


if __name__ == '__main__':
    main(*sys.argv[2:])
