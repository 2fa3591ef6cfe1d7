"""Safe reading of the predictions that a test writes, as pickles of plain values and tensors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hrnet_plugin.checkpoints.pickle_check import PickleCheck
from hrnet_plugin.checkpoints.pickle_file import BROKEN, first_sentence, load_storage, mapped
from hrnet_plugin.checkpoints.pickle_rules import BYTES, CheckpointRules
from hrnet_plugin.checkpoints.pickle_values import Made, Rules, Value
from hrnet_plugin.checkpoints.refusal import RefusedError
from hrnet_plugin.checkpoints.restricted_pickle import RestrictedUnpickler

_MAX_INSTRUCTIONS = 50_000_000  # an image has 100
_STORAGE = 'torch.storage._load_from_bytes'  # pickle module's form of a tensor: bytes of a file of torch.save


def load_predictions(path: Path) -> Any:
    """Load the predictions that ``hrnet test --out`` has written. No code in the file is executed.

    The instructions of the pickle are checked before anything in it is made, as those of checkpoints.

    Args:
        path: File to read.

    Raises:
        OSError: If the file cannot be read.
        ValueError: If it is damaged, or has other content than plain values and tensors. The message has one line.
    """
    size = path.stat().st_size
    with path.open('rb') as file:
        try:
            with mapped(file) as content:
                _PredictionCheck(_PredictionRules(size), size).run(content)
            return _PredictionUnpickler(file).load()
        except BROKEN as error:
            raise ValueError(first_sentence(error)) from None


class _PredictionCheck(PickleCheck):
    """Check that accepts the instructions of protocols 3 and 4, too.

    Args:
        rules: Rules for names, calls and storages.
        file_size: Bytes of the file, which frames must not exceed.
    """

    def __init__(self, rules: Rules, file_size: int) -> None:
        super().__init__(rules, _MAX_INSTRUCTIONS)
        self._file_size = file_size

    def _handler(self, name: str) -> Callable[[Any, Any], object] | None:
        return _NEWER.get(name) or super()._handler(name)

    def _frame(self, length: int) -> None:
        if length > self._file_size:
            raise RefusedError(f'a frame must have at most the {self._file_size} bytes of the file, got {length}')

    def _constant(self, value: str | bytes) -> None:
        self._stack.append(value)

    def _memoize(self, _: object) -> None:
        self._put(len(self._memo))

    def _stack_global(self, _: object) -> None:
        module, name = self._pop(2)
        if not isinstance(name, str) or not isinstance(module, str):
            raise RefusedError('a name must be text')
        self._global(f'{module} {name}')


_NEWER: dict[str, Callable[[Any, Any], object]] = {
    'FRAME': _PredictionCheck._frame,
    'SHORT_BINUNICODE': _PredictionCheck._constant,
    'BINBYTES': _PredictionCheck._constant,
    'SHORT_BINBYTES': _PredictionCheck._constant,
    'MEMOIZE': _PredictionCheck._memoize,
    'STACK_GLOBAL': _PredictionCheck._stack_global,
}


class _PredictionRules(CheckpointRules):
    """Rules that accept storages in the form of the pickle module, too."""

    def check_global(self, module: str, name: str) -> str:
        full = f'{module}.{name}'
        return full if full == _STORAGE else super().check_global(module, name)

    def check_call(self, name: str, arguments: tuple[Value, ...]) -> int:
        if name != _STORAGE:
            return super().check_call(name, arguments)
        if not all(isinstance(value, bytes) or (isinstance(value, Made) and value.name == BYTES)
                     for value in arguments):
            raise RefusedError('a storage must be made of bytes')
        return 0

    def check_storage(self, identity: tuple[Value, ...]) -> None:
        raise RefusedError('a storage must be in the pickle')


class _PredictionUnpickler(RestrictedUnpickler):
    """Unpickler of tensors, which torch pickles with a nested file."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the object or stand-in of a global.

        Raises:
            UnpicklingError: If the name is not allowed.
        """
        return load_storage if f'{module}.{name}' == _STORAGE else super().find_class(module, name)

