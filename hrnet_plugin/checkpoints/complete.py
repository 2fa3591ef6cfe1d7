"""Loading of all weights of a model, with an error if a checkpoint does not match."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from torch import Tensor, nn

from hrnet_plugin.checkpoints.backbone import find_unused_rows
from hrnet_plugin.checkpoints.class_names import ClassNames
from hrnet_plugin.checkpoints.match import match_state_dict, summarize_names
from hrnet_plugin.checkpoints.scheme import SCHEME, load_any_family


def load_complete(model: nn.Module, checkpoint: str) -> ClassNames:
    """Load a checkpoint of any family into a model. No code in the file is executed.

    Args:
        model: Model of a host. It is not changed if the checkpoint does not match.
        checkpoint: Path or address, as in :class:`~hrnet_plugin.checkpoints.Pretrained`.

    Returns:
        Class names in the checkpoint.

    Raises:
        OSError: If the checkpoint cannot be read.
        ValueError: If it is no checkpoint, or one of another model.
    """
    address = checkpoint.removeprefix(SCHEME)
    loaded = load_any_family(address)
    tensors, names = loaded['state_dict'], loaded['names']
    check_complete(model, tensors, address)
    weights = OrderedDict(_without_wrapper(tensors))
    weights._metadata = tensors._metadata  # type: ignore[attr-defined]
    model.load_state_dict(weights, strict=False)
    return names


def check_complete(model: nn.Module, tensors: Mapping[str, Tensor], source: str, part: str = '') -> None:
    """Check that a checkpoint has all tensors of a model, and no others of its modules.

    Args:
        model: Model without wrapper.
        tensors: State dict of the checkpoint.
        source: Name of the checkpoint for messages.
        part: Name of the submodule to check. Default: the whole model.

    Raises:
        ValueError: If a tensor is missing, unexpected or of another shape. The message names the tensors.
    """
    own, tensors = _within(model.state_dict(), part), _within(tensors, part)
    try:
        match = match_state_dict(own, tensors)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from None
    modules = {name.split('.')[0] for name in own}
    allowed = find_unused_rows(own, match.unused)
    unexpected = [name for name in match.unused if name.split('.')[0] in modules and name not in allowed
                  and not name.endswith('num_batches_tracked')]
    if match.missing or unexpected:
        words = [f'{len(names)} {what} ({", ".join(summarize_names(names, of)[:8])})' for names, of, what in (
            (match.missing, own, 'are missing'), (unexpected, tensors, 'are not in the model')) if names]
        raise ValueError(f'{source} must have the {len(own)} tensors of the model{f" in {part}" if part else ""}, got '
                         f'{len(match.weights)}: {", ".join(words)}. It belongs to another model than the config')


def _within(tensors: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    return {name: x for name, x in _without_wrapper(tensors).items() if not part or name.startswith(f'{part}.')}


def _without_wrapper(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a state dict without the prefix of data-parallel models, which mmengine removes, too."""
    return {name.removeprefix('module.'): tensor for name, tensor in tensors.items()}
