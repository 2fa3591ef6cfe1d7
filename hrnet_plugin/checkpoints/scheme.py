"""Prefixes of ``load_from`` with which mmengine's runner loads checkpoints through this package."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from mmengine.logging import print_log
from mmengine.runner.checkpoint import CheckpointLoader

from hrnet_plugin.checkpoints.addresses import resolve_checkpoint
from hrnet_plugin.checkpoints.body import find_bodies
from hrnet_plugin.checkpoints.convert import to_plugin
from hrnet_plugin.checkpoints.families.recognition import recognize
from hrnet_plugin.checkpoints.file import read, read_run

if TYPE_CHECKING:
    from torch.serialization import MAP_LOCATION

SCHEME = 'hrnet://'
RUN_SCHEME = 'hrnet-run://'  # of a path of a run's own checkpoint, from which it is resumed


@CheckpointLoader.register_scheme(prefixes=SCHEME)
def load_any(filename: str, map_location: MAP_LOCATION = None) -> dict[str, Any]:
    """What mmengine gets to load: a state dict under the names of models that configs build with this package.

    Where a checkpoint has no HRNet, or several, its names stay as they are.

    Args:
        filename: 'hrnet://' and an address as :class:`~hrnet_plugin.Pretrained` takes it.
        map_location: As mmengine gives it; tensors stay on the CPU, from which they are copied into the model.

    Raises:
        OSError, ValueError: If it cannot be read; nothing that is in it runs.
    """
    path, address = resolve_checkpoint([filename.removeprefix(SCHEME)])
    checkpoint = read(path, address)
    if len(find_bodies(checkpoint.tensors)) == 1:
        found = recognize(checkpoint)
        checkpoint, unknown = to_plugin(checkpoint, found)
        left = f'; {len(unknown)} tensors without a name here are left out: {", ".join(unknown[:4])}' if unknown else ''
        print_log(f'{address} is of the family "{found.family.name}", {found.body.text}{left}', logger='current')
    state_dict = OrderedDict(checkpoint.tensors)
    # read by modules that note what their weights were trained with
    state_dict._metadata = OrderedDict(checkpoint.notes)  # type: ignore[attr-defined]
    return dict(state_dict=state_dict, meta={})


@CheckpointLoader.register_scheme(prefixes=RUN_SCHEME)
def load_run(filename: str, map_location: MAP_LOCATION = None) -> dict[str, Any]:
    """Load a checkpoint from which a run is resumed, with errors that name the file.

    Args:
        filename: 'hrnet-run://' and a path.
        map_location: As of ``torch.load``.

    Raises:
        OSError, ValueError: If it cannot be read; nothing that is in it runs.
    """
    return read_run(filename.removeprefix(RUN_SCHEME), map_location)
