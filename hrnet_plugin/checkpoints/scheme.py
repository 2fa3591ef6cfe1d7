"""URL schemes of ``load_from`` for which mmengine's runner loads checkpoints by this package."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from mmengine.logging import print_log
from mmengine.runner.checkpoint import CheckpointLoader

from hrnet_plugin.checkpoints.addresses import resolve_checkpoint
from hrnet_plugin.checkpoints.backbone import find_backbones
from hrnet_plugin.checkpoints.convert import to_plugin
from hrnet_plugin.checkpoints.families.recognition import recognize
from hrnet_plugin.checkpoints.file import read, read_run

if TYPE_CHECKING:
    from torch.serialization import MAP_LOCATION

SCHEME = 'hrnet://'
RUN_SCHEME = 'hrnet-run://'  # for checkpoints to resume a run from


@CheckpointLoader.register_scheme(prefixes=SCHEME)
def load_any_family(filename: str, map_location: MAP_LOCATION = None) -> dict[str, Any]:
    """Load a checkpoint of any family, with the state-dict keys of models of this package.

    The keys are not changed if the checkpoint contains no HRNet or several. No code in the file is executed.

    Args:
        filename: 'hrnet://' followed by an address, as in :class:`~hrnet_plugin.checkpoints.Pretrained`.
        map_location: Ignored. The tensors are on the CPU, and mmengine copies them into the model.

    Returns:
        'state_dict', 'meta', and the class names as 'names', which only this package reads.

    Raises:
        OSError, ValueError: If the checkpoint cannot be read.
    """
    path, address = resolve_checkpoint([filename.removeprefix(SCHEME)])
    checkpoint = read(path, address)
    names = checkpoint.names
    if len(find_backbones(checkpoint.tensors)) == 1:
        found = recognize(checkpoint)
        checkpoint, unknown = to_plugin(checkpoint, found)
        text = f'{address} is of the family "{found.family.name}", {found.network.text}'
        if unknown:
            text += f'; {len(unknown)} tensors without a counterpart are skipped: {", ".join(unknown[:4])}'
        print_log(text, logger='current')
    state_dict = OrderedDict(checkpoint.tensors)
    # read by modules that compare it with their own, see models/checkpoint_metadata.py
    state_dict._metadata = OrderedDict(checkpoint.metadata)  # type: ignore[attr-defined]
    return dict(state_dict=state_dict, meta={}, names=names)


@CheckpointLoader.register_scheme(prefixes=RUN_SCHEME)
def load_run(filename: str, map_location: MAP_LOCATION = None) -> dict[str, Any]:
    """Load a checkpoint to resume a run from. No code in the file is executed.

    Args:
        filename: 'hrnet-run://' followed by a path.
        map_location: See ``torch.load``.

    Raises:
        OSError, ValueError: If the checkpoint cannot be read. The message names the file.
    """
    return read_run(filename.removeprefix(RUN_SCHEME), map_location)
