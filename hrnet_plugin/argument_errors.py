"""Errors of constructors that name the type and its arguments, wherever they are raised."""

from __future__ import annotations

import re
import reprlib
import traceback
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import signature
from typing import Any, TypeVar

from torch.cuda import OutOfMemoryError

_Class = TypeVar('_Class', bound=type)

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = 60
_MOST_CHARACTERS = 1000
# these keep their type. The others, such as KeyError and AssertionError, become ValueError
_KEPT = (TypeError, ValueError, RuntimeError)
_MARK = '_hrnet_plugin_names_argument'  # attribute of an error
_UNRELATED = (ImportError, OSError, MemoryError, NotImplementedError, OutOfMemoryError, RecursionError)


def with_named_errors(cls: _Class, name: str) -> _Class:
    """Make the constructor of a class name the class and its arguments in each error.

    Errors of layers and hosts, deep inside a constructor, often name neither. Messages with both do not change.

    Args:
        cls: Class, changed in place.
        name: Name in configs, such as 'hrnet_plugin.HRNet'.
    """
    construct: Callable[..., None] = cls.__init__  # type: ignore[misc]
    if construct is object.__init__:  # Python names the class in errors
        return cls
    if '__init__' not in vars(cls):
        construct = _inherited_constructor(cls)

    @wraps(construct)
    def named(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            construct(self, *args, **kwargs)
        except _UNRELATED:
            raise
        except Exception as error:
            named_error = _named_error(error, name, construct, (self, *args), kwargs)
            if named_error is None:
                raise
            raise named_error from error

    named.__qualname__ = f'{cls.__qualname__}.__init__'
    cls.__init__ = named  # type: ignore[misc]
    return cls


def _inherited_constructor(cls: type[Any]) -> Callable[..., None]:
    """Return a constructor that calls the next one in the order of base classes, as without it."""
    @wraps(cls.__init__)
    def construct(self: object, *args: Any, **kwargs: Any) -> None:
        super(cls, self).__init__(*args, **kwargs)

    return construct


def _named_error(error: Exception, name: str, construct: Callable[..., None], args: tuple[Any, ...],
                 kwargs: Mapping[str, Any]) -> Exception | None:
    """Return an error with the names that a message lacks, or None if it needs no change."""
    # the constructor of a part has named its argument
    is_named = getattr(error, _MARK, False) or _names_parameter(error, construct)
    message = _named_message(error, name, {} if is_named else _bound(construct, args, kwargs))
    if message is None:
        setattr(error, _MARK, True)
        return None
    kind = next((kind for kind in _KEPT if isinstance(error, kind)), ValueError)
    renamed = kind(message)
    setattr(renamed, _MARK, True)
    return renamed


def _bound(construct: Callable[..., None], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given arguments by name."""
    try:
        found = signature(construct).bind_partial(*args)
    except TypeError:  # too many
        return dict(kwargs)
    given = {key: value for key, value in found.arguments.items() if value is not args[0]}
    return {**given, **kwargs}


def _names_parameter(error: Exception, construct: Callable[..., None]) -> bool:
    """Return True if an error names an argument that may be missing. Without underscores, it may be a common word."""
    text = str(error)
    return any(f"'{key}'" in text or ('_' in key and _has_word(key, text)) for key in signature(construct).parameters)


def _named_message(error: Exception, name: str, given: Mapping[str, Any]) -> str | None:
    """Return the message with the names that it lacks, in one line. None if the message needs no change."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    lacks_type = name.rpartition('.')[2] not in text
    lacks_argument = bool(given) and not any(_has_word(key, text) for key in given)
    if not (lacks_type or lacks_argument or len(text) > _MOST_CHARACTERS):
        return None
    text = ' '.join((text or _failed_line(error)).split())
    if len(text) > _MOST_CHARACTERS:  # of a long value
        text = f'{text[:_MOST_CHARACTERS // 2]} ... {text[-_MOST_CHARACTERS // 4:]}'
    if lacks_argument:
        suspects = {key: value for key, value in given.items() if _has_key(value, text)} or given
        shown = ', '.join(f'{key}={_REPR.repr(value)}' for key, value in suspects.items())
        text = f'{text}. One of these arguments is invalid: {shown}'
    return f'{name}: {text}' if lacks_type else text


def _has_word(word: str, text: str) -> bool:
    return re.search(rf'(?<!\w){re.escape(word)}(?!\w)', text) is not None


def _has_key(value: object, text: str, depth: int = 4) -> bool:
    """Return True if a text has a key of a config entry other than 'type', or of an entry in it up to a depth."""
    if not depth:
        return False
    if isinstance(value, (list, tuple)):
        return any(_has_key(entry, text, depth - 1) for entry in value)
    return isinstance(value, Mapping) and any((key != 'type' and _has_word(str(key), text))
                                              or _has_key(entry, text, depth - 1) for key, entry in value.items())


def _failed_line(error: Exception) -> str:
    """Return type and source line of an error without a message, such as that of an assertion."""
    frames = traceback.extract_tb(error.__traceback__)
    return f'{type(error).__name__} in {frames[-1].line!r}'
