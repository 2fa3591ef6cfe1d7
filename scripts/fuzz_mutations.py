"""Deterministic mutations of files: bytes, tokens of a format, and the structure of JSON, ZIP and safetensors files."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

Mutation = Callable[[random.Random, bytes], bytes]

JSON_TOKENS = (b'null', b'true', b'NaN', b'-Infinity', b'1e999', b'[[[[', b'{}', b'""', b'9' * 400, b'\\ud800',
               b'-1')
PICKLE_TOKENS = (b'cos\nsystem\n', b'cbuiltins\neval\n', b'\x80\x02', b'R', b'b', b'(', b't', b'}', b'l', b'q\x00',
                 b'ctorch._utils\n_rebuild_tensor_v2\n', b'\x8aF', b'X\xff\xff\xff\x7f', b'.',
                 b'ccopyreg\n__newobj__\n')
TEXT_TOKENS = (b'=cmd()', b'"', b'\n', b',,,', b'\x00', b'\xff\xfe', b'../', b'a' * 2000, b'\x1b[2J', b'nan', b'-')
HTTP_TOKENS = (b'Content-Length: 999999999999\r\n', b'Content-Length: -1\r\n', b'Transfer-Encoding: chunked\r\n',
               b'Location: file:///etc/passwd\r\n', b'HTTP/1.1 302 Found\r\n', b'\r\n\r\n',
               b'Content-Encoding: gzip\r\n')
_VALUES: tuple[Any, ...] = (None, True, -1, 0, 1.5, 1e308, 2**63, 10**40, float('nan'), '', 'x', '\x1b[31m', '=1+1',
                            '<script>', [], [[]], {}, [None] * 3, 'a' * 3000, {'': {}})
_MOST_BYTES = 1 << 20


def mutate_bytes(source: random.Random, data: bytes, tokens: Sequence[bytes] = (), others: Sequence[bytes] = ()
                 ) -> bytes:
    """Return data after one to four random edits: flips, cuts, repetitions, tokens and splices with other files."""
    content = bytearray(data)
    for _ in range(source.randint(1, 4)):
        start, length = source.randint(0, len(content)), source.choice((1, 1, 4, 16, 256))
        kind = source.randrange(6)
        if kind == 0 and content:
            for _ in range(length):
                content[source.randrange(len(content))] ^= 1 << source.randrange(8)
        elif kind == 1:
            del content[start:]
        elif kind == 2:
            del content[start:start + length]
        elif kind == 3:
            content[start:start] = content[start:start + length] * source.choice((1, 2, 50))
        elif kind == 4 and tokens:
            content[start:start + source.choice((0, 4))] = source.choice(tokens)
        elif others:
            content[start:] = source.choice(others)[start:]
    return bytes(content[:_MOST_BYTES])


def mutate_json(source: random.Random, data: bytes) -> bytes:
    """Return JSON with one to three replaced, removed, repeated or nested entries."""
    content = json.loads(data)
    for _ in range(source.randint(1, 3)):
        content = _mutate_tree(source, content)
    text = json.dumps(content)
    if source.random() < 0.1 and text.startswith('{'):  # a repeated key
        text = text[:-1] + (', ' if len(text) > 2 else '') + text[1:]
    if source.random() < 0.03:
        depth = source.choice((500, 5_000, 100_000))
        text = text.replace('1', '[' * depth + ']' * depth, 1)
    return text.encode()[:_MOST_BYTES]


def _mutate_tree(source: random.Random, content: Any) -> Any:
    keys: list[Any] = []
    if isinstance(content, (dict, list)):
        keys = list(content) if isinstance(content, dict) else list(range(len(content)))
    if not keys or source.random() < 0.15:
        return deepcopy(source.choice(_VALUES))
    key = source.choice(keys)
    kind = source.random()
    if kind < 0.1:
        del content[key]
    elif kind < 0.15 and isinstance(content, dict):
        content[f'{key}x'] = content.pop(key)
    elif kind < 0.2 and isinstance(content, list):
        content.append(deepcopy(content[key]))
    else:
        content[key] = _mutate_tree(source, content[key])
    return content


def mutate_zip(source: random.Random, data: bytes) -> bytes:
    """Return a ZIP file with one mutated entry, such as the pickle of a checkpoint, sometimes compressed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, 'w') as new:
        names = old.namelist()
        pickles = [name for name in names if name.endswith('.pkl')]
        chosen = source.choice(pickles) if pickles and source.random() < 0.8 else source.choice(names)
        method = source.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
        for name in names:
            content = old.read(name)
            if name == chosen:
                content = mutate_bytes(source, content, PICKLE_TOKENS)
                if source.random() < 0.005 and method == zipfile.ZIP_DEFLATED:
                    content += b'\x00' * 300_000_000
            new.writestr(name, content, method)
    return out.getvalue()


def mutate_safetensors(source: random.Random, data: bytes) -> bytes:
    """Return a safetensors file with a mutated header."""
    length = struct.unpack('<Q', data[:8])[0]
    header = mutate_json(source, data[8:8 + length])
    size = len(header) if source.random() < 0.9 else source.choice((0, 2**40, 2**63, len(data)))
    return struct.pack('<Q', size) + header + data[8 + length:]
