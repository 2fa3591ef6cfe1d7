"""Check of a pickle by its instructions, before anything in it is made.

A pickle is a program for a stack machine, and its values refer to each other. A file of 1 kB can therefore contain a
value that is too large to compare, to print or to copy. A value can also be too deep for the C stack.
:class:`PickleCheck` follows the instructions with the sizes of the values in place of the values.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import IO, Any, Protocol, TypeAlias

from hrnet_plugin.checkpoints.refusal import RefusedError

MAX_INSTRUCTIONS = 1_000_000  # an HRNet-W32 has 65,000, with the states of Adam 200,000
MAX_SHARED = 4_000_000  # values that references repeat
MAX_DEPTH = 100
_BYTES_PER_UNIT = 8  # of text, in the size of a value


@dataclass(slots=True, eq=False)
class Made:
    """Value that instructions of a pickle make.

    Attributes:
        kind: 'tuple', 'list', 'dict', 'set', 'global' (a name), 'call' (its result) or 'storage'.
        name: Name of the global, or of the one that is called.
        items: Items of a tuple.
        size: Number of values in it, where a shared value counts each time.
        depth: Depth of nesting.
        is_shared: Whether another value may refer to it, so that it must not change.
    """

    kind: str
    name: str = ''
    items: tuple[Value, ...] = ()
    size: int = 1
    depth: int = 0
    is_shared: bool = False


Value: TypeAlias = 'Made | str | int | float | bytes | None'


class Rules(Protocol):
    """Rules for names, calls and storages. Methods raise :class:`RefusedError`."""

    def check_global(self, module: str, name: str) -> str:
        """Check a name and return it as in current versions of Python."""

    def check_call(self, name: str, arguments: tuple[Value, ...]) -> None:
        """Check a call."""

    def check_state(self, name: str) -> None:
        """Check that the results of calls of a name may get a state."""

    def check_storage(self, identity: tuple[Value, ...]) -> None:
        """Check a reference to a storage outside of the pickle."""


class PickleCheck:
    """Machine that follows the instructions of pickles.

    Args:
        rules: Rules for names, calls and storages.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._instructions = self._shared = 0
        self._reset()

    def _reset(self) -> None:
        self._stack: list[Value] = []
        self._outer: list[list[Value]] = []
        self._memo: dict[int, Value] = {}

    def run(self, stream: IO[bytes]) -> None:
        """Follow a pickle up to its end. The stream is then behind it.

        Raises:
            RefusedError: If a value is too large or too deep, contains itself, or breaks a rule.
            ValueError, LookupError, AttributeError: If the pickle is malformed.
        """
        self._reset()
        for opcode, argument, _ in pickletools.genops(stream):
            self._instructions += 1
            _check_count(self._instructions)
            if opcode.name in _CONSTANTS:
                self._stack.append(argument)
            else:
                handler = _HANDLERS.get(opcode.name)
                if handler is None:
                    raise RefusedError(f'a checkpoint must have instructions that torch writes, got {opcode.name}')
                handler(self, argument)

    def _push_made(self, kind: str, items: Iterable[Value] = (), name: str = '') -> Made:
        items = tuple(items)
        made = Made(kind, name, items if kind == 'tuple' else ())
        _grow(made, items)
        self._stack.append(made)
        return made

    def _pop_mark(self) -> list[Value]:
        items, self._stack = self._stack, self._outer.pop()
        return items

    def _mark(self, _: object) -> None:
        self._outer.append(self._stack)
        self._stack = []

    def _global(self, argument: str) -> None:
        self._stack.append(Made('global', self._rules.check_global(*argument.split(' ', 1))))

    def _put(self, index: int) -> None:
        _check_count(index)  # pickle would make a table of this size
        self._memo[index] = self._stack[-1]

    def _get(self, index: int) -> None:
        value = self._memo[index]
        self._shared += _size(value)
        if self._shared > MAX_SHARED:
            raise RefusedError(f'references must repeat at most {MAX_SHARED} values of a checkpoint, got more')
        if isinstance(value, Made):
            value.is_shared = True
        self._stack.append(value)

    def _pop(self, count: int) -> list[Value]:
        return [self._stack.pop() for _ in range(count)][::-1]

    def _target(self, accepted: Callable[[Made], bool]) -> Made:
        """Return the value on top of the stack, which is changed."""
        made = self._stack[-1]
        if not isinstance(made, Made) or not accepted(made):
            raise RefusedError('only lists, mappings and some objects must be changed after they are made')
        if made.is_shared:
            raise RefusedError('a value must not contain itself')
        return made

    def _extend(self, items: list[Value]) -> None:
        _grow(self._target(lambda made: made.kind == 'list'), items)

    def _update(self, items: list[Value]) -> None:
        _grow(self._target(lambda made: made.kind == 'dict' or made.name in _MAPPINGS), items)

    def _call(self, _: object) -> None:
        arguments, called = self._stack.pop(), self._stack.pop()
        if not isinstance(called, Made) or called.kind != 'global':
            raise RefusedError('a checkpoint must call names only, got a call of another value')
        if not isinstance(arguments, Made) or arguments.kind != 'tuple':
            raise RefusedError(f'{called.name} must be called with a tuple')
        self._rules.check_call(called.name, arguments.items)
        self._push_made('call', [arguments], called.name)

    def _build(self, _: object) -> None:
        state = self._stack.pop()
        made = self._target(lambda made: made.kind == 'call')
        self._rules.check_state(made.name)
        _grow(made, [state])

    def _refer(self, _: object) -> None:
        identity = self._stack.pop()
        if not isinstance(identity, Made) or identity.kind != 'tuple':
            raise RefusedError('a storage must be named by a tuple')
        self._rules.check_storage(identity.items)
        self._stack.append(Made('storage'))


def _check_count(count: int) -> None:
    if count > MAX_INSTRUCTIONS:
        raise RefusedError(f'a checkpoint must have at most {MAX_INSTRUCTIONS} values in its pickle, got more')


def _size(value: Value) -> int:
    if isinstance(value, Made):
        return value.size
    return 1 + len(value) // _BYTES_PER_UNIT if isinstance(value, (str, bytes)) else 1


def _grow(made: Made, items: Iterable[Value]) -> None:
    for item in items:
        made.size += _size(item)
        if isinstance(item, Made) and item.depth >= made.depth:
            made.depth = item.depth + 1
    if made.depth > MAX_DEPTH:
        raise RefusedError(f'values of a checkpoint must be nested at most {MAX_DEPTH} deep, got more')


_MAPPINGS = ('collections.OrderedDict', 'collections.Counter', 'collections.defaultdict')
# instructions whose argument is the value; it is None for the last three
_CONSTANTS = ('BININT', 'BININT1', 'BININT2', 'BINFLOAT', 'BINUNICODE', 'SHORT_BINSTRING', 'LONG1', 'NONE', 'NEWTRUE',
              'NEWFALSE')
# with the constants, the instructions that torch reads with weights_only=True
_HANDLERS: dict[str, Callable[[PickleCheck, Any], object]] = {
    'PROTO': lambda check, _: None,
    'STOP': lambda check, _: None,
    'MARK': PickleCheck._mark,
    'GLOBAL': PickleCheck._global,
    'BINPUT': PickleCheck._put,
    'LONG_BINPUT': PickleCheck._put,
    'BINGET': PickleCheck._get,
    'LONG_BINGET': PickleCheck._get,
    'EMPTY_TUPLE': lambda check, _: check._push_made('tuple'),
    'EMPTY_LIST': lambda check, _: check._push_made('list'),
    'EMPTY_DICT': lambda check, _: check._push_made('dict'),
    'EMPTY_SET': lambda check, _: check._push_made('set'),
    'TUPLE': lambda check, _: check._push_made('tuple', check._pop_mark()),
    'TUPLE1': lambda check, _: check._push_made('tuple', check._pop(1)),
    'TUPLE2': lambda check, _: check._push_made('tuple', check._pop(2)),
    'TUPLE3': lambda check, _: check._push_made('tuple', check._pop(3)),
    'APPEND': lambda check, _: check._extend(check._pop(1)),
    'APPENDS': lambda check, _: check._extend(check._pop_mark()),
    'SETITEM': lambda check, _: check._update(check._pop(2)),
    'SETITEMS': lambda check, _: check._update(check._pop_mark()),
    'REDUCE': PickleCheck._call,
    'NEWOBJ': PickleCheck._call,
    'BUILD': PickleCheck._build,
    'BINPERSID': PickleCheck._refer,
}
