"""Check of a pickle by its instructions, before anything in it is made.

A pickle is a program for a stack machine, and its values refer to each other. A file of 1 kB can therefore contain a
value that is too large to compare, to print or to copy. A value can also be too deep for the C stack.
:class:`PickleCheck` follows the instructions with the sizes of the values in place of the values.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Iterable
from typing import IO, Any

from hrnet_plugin.checkpoints.pickle_values import Made, Rules, Value, grow, is_unusual, size_of
from hrnet_plugin.checkpoints.refusal import RefusedError

MAX_INSTRUCTIONS = 1_000_000  # an HRNet-W32 has 65,000, with the states of Adam 200,000
_BYTES_PER_INSTRUCTION = 2  # pickles of torch have 3
MAX_SHARED = 4_000_000  # values that references repeat
MAX_UNUSUAL_KEYS = 10_000  # which a hostile file can give the same hash


class PickleCheck:
    """Machine that follows the instructions of pickles.

    Args:
        rules: Rules for names, calls and storages.
        max_instructions: Maximum number of instructions of all pickles together.
    """

    def __init__(self, rules: Rules, max_instructions: int = MAX_INSTRUCTIONS) -> None:
        self._rules = rules
        self._max_instructions = max_instructions
        self._instructions = self._shared = self._unusual_keys = 0
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
            if self._instructions > self._max_instructions:
                raise RefusedError(f'the pickle must have at most {self._max_instructions} values, got more')
            if opcode.name in _CONSTANTS:
                self._stack.append(argument)
            else:
                handler = self._handler(opcode.name)
                if handler is None:
                    raise RefusedError(f'a checkpoint must have instructions that torch writes, got {opcode.name}')
                handler(self, argument)

    def _handler(self, name: str) -> Callable[[PickleCheck, Any], object] | None:
        """Return the function for an instruction, or None if it is not allowed."""
        return _HANDLERS.get(name)

    def _push_made(self, kind: str, items: Iterable[Value] = (), name: str = '') -> Made:
        items = tuple(items)
        made = Made(kind, name, items if kind == 'tuple' else ())
        grow(made, items)
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
        if index > self._instructions:  # pickle would make a table of this size
            raise RefusedError(f'references must be numbered from 0, got {index}')
        self._memo[index] = self._stack[-1]

    def _count_unusual(self, count: int) -> None:
        self._unusual_keys += count
        if self._unusual_keys > MAX_UNUSUAL_KEYS:
            raise RefusedError(f'at most {MAX_UNUSUAL_KEYS} keys of mappings and sets must be other than text and '
                               'integers of 64 bits, got more')

    def _get(self, index: int) -> None:
        value = self._memo[index]
        self._shared += size_of(value)
        if self._shared > MAX_SHARED:
            raise RefusedError(f'references must repeat at most {MAX_SHARED} values of a checkpoint, got more')
        if isinstance(value, Made):
            value.is_shared = True
            self._count_unusual(value.hashed)  # a function may copy it, with its mappings
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
        grow(self._target(lambda made: made.kind == 'list'), items)

    def _update(self, items: list[Value]) -> None:
        made = self._target(lambda made: made.kind == 'dict' or made.name in _MAPPINGS)
        unusual = sum(map(is_unusual, items[::2]))
        self._count_unusual(unusual)
        made.hashed += unusual
        grow(made, items)

    def _call(self, _: object) -> None:
        arguments, called = self._stack.pop(), self._stack.pop()
        if not isinstance(called, Made) or called.kind != 'global':
            raise RefusedError('a checkpoint must call names only, got a call of another value')
        if not isinstance(arguments, Made) or arguments.kind != 'tuple':
            raise RefusedError(f'{called.name} must be called with a tuple')
        hashed = self._rules.check_call(called.name, arguments.items)
        self._count_unusual(hashed)
        self._push_made('call', [arguments], called.name).hashed += hashed

    def _build(self, _: object) -> None:
        state = self._stack.pop()
        made = self._target(lambda made: made.kind == 'call')
        self._rules.check_state(made.name)
        grow(made, [state])

    def _refer(self, _: object) -> None:
        identity = self._stack.pop()
        if not isinstance(identity, Made) or identity.kind != 'tuple':
            raise RefusedError('a storage must be named by a tuple')
        self._rules.check_storage(identity.items)
        self._stack.append(Made('storage'))


def instruction_limit(size: int) -> int:
    """Return the maximum number of instructions of a pickle of ``size`` bytes."""
    return max(MAX_INSTRUCTIONS, size // _BYTES_PER_INSTRUCTION)


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
