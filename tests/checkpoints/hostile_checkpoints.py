"""Generated checkpoints that would need too much time or memory, or that have no usable tensors."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile

import torch
from torch import nn

WEIGHTS = {'conv.weight': torch.arange(6.).view(2, 3)}
RECORDS = {'data/0': bytes(16), 'version': b'3\n', 'byteorder': b'little'}
MARK, STOP, TENSOR_NAME = b'(', b'.', b'ctorch._utils\n_rebuild_tensor_v2\n'


def archive(content, records=RECORDS, **options):
    """Return a zip archive as torch writes it, with the given pickle."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', **options) as packed:
        for name, record in {'data.pkl': content, **records}.items():
            packed.writestr(f'archive/{name}', record)
    return file.getvalue()


def saved(content, **options):
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def old(content, keys=b'\x80\x02].'):
    """Return a file in the format before torch 1.6, with the given pickle."""
    start = [pickle.dumps(value, 2) for value in (torch.serialization.MAGIC_NUMBER, 1001, dict(little_endian=True))]
    return b''.join([*start, content, keys])


def text(value):
    data = value if isinstance(value, bytes) else value.encode()
    return b'X' + struct.pack('<I', len(data)) + data


def number(value):
    if 0 <= value < 1 << 31:
        return b'J' + struct.pack('<i', value)
    data = pickle.encode_long(value)
    return b'\x8a' + bytes([len(data)]) + data


def tensor(size, stride, offset=0, count=4, key='0', kind='FloatStorage'):
    """Return the pickle of a tensor on a storage of four numbers."""
    sizes = [MARK + b''.join(map(number, values)) + b't' for values in (size, stride)]
    storage = MARK + text('storage') + b'ctorch\n%s\n' % kind.encode() + text(key) + text('cpu') + number(count) + b'tQ'
    return (TENSOR_NAME + MARK + storage + number(offset) + sizes[0] + sizes[1]
            + b'\x89ccollections\nOrderedDict\n)RtR')


def mapping(*values):
    """Return the pickle of a mapping of 'x0', 'x1', ... to values."""
    return b'\x80\x02}' + MARK + b''.join(text(f'x{i}') + value for i, value in enumerate(values)) + b'u.'


def doubled(levels, start=b')'):
    """Return instructions for a tuple with 2**levels items."""
    return start + b''.join(b'q%ch%c\x86' % (i, i) for i in range(levels))


def call(name, *arguments):
    return b'c%s\n%s\n' % tuple(part.encode() for part in name.rsplit('.', 1)) + MARK + b''.join(arguments) + b'tR'


def repeated(start, instructions, count):
    """Return the pickle of a list of a value, and of results of the same instructions, in which it is number 1."""
    return b'\x80\x02]' + MARK + start + b'q\x01' + instructions * count + b'e.'


def safetensors(header, data=b'', size=None):
    content = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack('<Q', len(content) if size is None else size) + content + data


def entry(dtype='F32', shape=(1, ), offsets=(0, 4)):
    return dict(dtype=dtype, shape=shape, data_offsets=offsets)


def altered(data, old_bytes, new_bytes, last=False):
    """Return data with one occurrence of some bytes replaced."""
    assert old_bytes in data
    return new_bytes.join(data.rsplit(old_bytes, 1) if last else data.split(old_bytes, 1))


def in_zip(before, after, index=-1):
    """Return an archive with changed fields of the central directory, of the entry with the given index."""
    data = archive(mapping(tensor((2, ), (1, ))))
    starts = [i for i in range(len(data)) if data.startswith(b'PK\x01\x02', i)]
    start = starts[index] + before
    return data[:start] + after + data[start + len(after):]


def duplicate_names():
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w') as packed:
        for name in ('archive/data.pkl', 'archive/DATA.pkl', 'archive/data/0'):
            packed.writestr(name, mapping(tensor((2, ), (1, ))) if 'pkl' in name else bytes(16))
    return file.getvalue()


BOMB = bytes(30_000_000)
ONE = mapping(tensor((2, ), (1, )))
LONG_TEXT = text('a' * 100_000)
DEEP = 100_000
COLLIDING = [number(k * (2**61 - 1)) for k in range(5, 120_000)]  # hash 0: a set of them would take minutes

#: Name -> content of the file, and pattern of the message behind the file name.
HOSTILE = {
    'compressed archive': (archive(ONE, {**RECORDS, 'data/0': BOMB}, compression=zipfile.ZIP_DEFLATED),
                           'is not a complete checkpoint: torch does not compress, but archive/'),
    'compressed pickle': (archive(ONE + BOMB, compression=zipfile.ZIP_DEFLATED), 'is not a .*: torch does not'),
    'compressed by LZMA': (archive(ONE, compression=zipfile.ZIP_LZMA), 'is not a .*: torch does not compress'),
    'entry of 4 GB': (in_zip(20, b'\xfe\xff\xff\xff' * 2), 'is not a complete checkpoint: .* (overlap|exceed)'),
    'sizes that differ': (in_zip(24, b'\xfe\xff\xff\xff'), 'is not a complete checkpoint: torch does not compress'),
    'entries that overlap': (in_zip(42, bytes(4)), 'is not a complete checkpoint: .* overlap'),
    'entry behind the end': (in_zip(42, b'\xff\xff\xff\x7f'), 'is not a complete checkpoint: '),
    'entry marked as a folder': (in_zip(38, b'\x10', 1), 'is not a complete checkpoint: archive/data/0 is marked as'),
    'duplicate names': (duplicate_names(), 'is not a complete checkpoint: several zip entries have the same name'),
    'data behind the archive': (archive(ONE) + bytes(9), 'is not a complete checkpoint: '),
    'data before the directory': (altered(archive(ONE), b'PK\x01\x02', bytes(50) + b'PK\x01\x02'),
                                  'is not a complete checkpoint: '),
    'truncated archive': (saved(WEIGHTS)[:-30], 'is not a complete checkpoint: '),
    'no pickle': (archive(ONE).replace(b'data.pkl', b'data.bin'), 'is a zip archive without data.pkl'),
    'TorchScript': (archive(ONE, {**RECORDS, 'constants.pkl': b''}), 'is a TorchScript archive, which contains code'),
    'wrong checksum': (altered(archive(ONE, {'data/0': b'0123456789abcdef'}), b'0123456789abcdef', b'0123456789abcdeX'),
                       "is not a complete checkpoint: Bad CRC-32 for file 'archive/data/0'"),
    'tensor behind its storage': (archive(mapping(tensor((9, ), (1, )))), 'is not a complete checkpoint: RuntimeError'),
    'negative size': (archive(mapping(tensor((-1, ), (1, )))), 'is not a complete checkpoint: RuntimeError'),
    'negative offset': (archive(mapping(tensor((1, ), (1, ), -8))), 'is not a complete checkpoint: RuntimeError'),
    'size beyond 64 bits': (archive(mapping(tensor((1 << 80, ), (1, )))), 'is not a complete checkpoint: '),
    'storage longer than its record': (archive(mapping(tensor((1, ), (1, ), count=5))),
                                       'is not a complete checkpoint: .* 16 bytes for 20 bytes of storages'),
    'storage of 8 TB': (archive(mapping(tensor((1, ), (1, ), count=1 << 41))), 'is not a complete checkpoint: '),
    'storage without a record': (archive(mapping(tensor((1, ), (1, ), key='9'))), 'is not a complete checkpoint: '),
    'old storage of 8 TB': (old(mapping(tensor((1, ), (1, ), count=1 << 41)[:-1])), 'was refused|is not a '),
    'expanded to 4 TB': (archive(mapping(tensor((1 << 40, ), (0, )))),
                         r'must have tensors of at most 16777216 bytes .* up to x0, of shape \(1099511627776,\)'),
    'many views': (saved({f'x{i}': WEIGHTS['conv.weight'].expand(2000, 2, 3) for i in range(400)}),
                   'must have tensors of at most 16777216 bytes'),
    'deep list': (archive(mapping(b']' * DEEP + b'a' * (DEEP - 1))), 'was refused: values .* nested at most 100 deep'),
    'deep tuple as a key': (archive(b'\x80\x02})' + b'\x85' * DEEP + b'Ns.'), 'was refused: .* at most 100 deep'),
    'deep mapping': (archive(b'\x80\x02' + (b'}' + text('model')) * DEEP + b'N' + b's' * DEEP + b'.'),
                     'was refused: values .* nested at most 100 deep'),
    'deep old mapping': (old(b'\x80\x02' + (b'}' + text('model')) * DEEP + b'N' + b's' * DEEP + b'.'),
                         'was refused: values .* nested at most 100 deep'),
    'tuple of 2^60 items as a key': (archive(b'\x80\x02}' + doubled(60) + b'Ns.'), 'was refused: references must'),
    'list of 2^60 items': (archive(mapping(doubled(60, b']'))), 'was refused: references must repeat at most'),
    'call of a list of 2^60 items': (archive(mapping(doubled(60, b']') + b')R')), 'was refused: references must'),
    'list in itself': (archive(b'\x80\x02]q\x01h\x01a.'), 'was refused: a value must not contain itself'),
    'million values': (archive(b'\x80\x02' + b')' * 1_100_000 + b'.'), 'was refused: .* at most 1000000 values'),
    'keys of one hash': (archive(b'\x80\x02}' + MARK + b''.join(key + b'N' for key in COLLIDING) + b'u.'),
                         'was refused: at most 10000 keys of mappings and sets must be other than text'),
    **{f'{count} {name} of one hash': (archive(mapping(*[call(name, b'](' + start + b'e')] * (20_000 // count))),
                                       'was refused: at most 10000 keys of mappings and sets')
       for name, count, start in (
           ('builtins.set', 20_000, b''.join(COLLIDING[:20_000])),
           ('builtins.frozenset', 5_000, b''.join(COLLIDING[:5_000])),
           ('collections.Counter', 20_000, b''.join(COLLIDING[:20_000])),
           ('collections.OrderedDict', 20_000, b''.join(key + b'N\x86' for key in COLLIDING[:20_000])),
           ('collections.OrderedDict', 10_001, b''.join(b'](' + key + b'Ne' for key in COLLIDING[:10_001])))},
    'copies of a mapping of one hash': (archive(repeated(
        b'}(' + b''.join(key + b'N' for key in COLLIDING[:6000]) + b'u', b'ccollections\nCounter\nh\x01\x85R', 3)),
        'was refused: at most 10000 keys of mappings and sets'),
    'set of a set': (archive(mapping(call('builtins.set', call('builtins.set', b']')))), 'was refused: .* must be'),
    **{f'{name} of one hash': (archive(mapping(call(name, b'](' + b''.join(COLLIDING) + b'e'))),
                               f'was refused: {name} must be made of at most 100000 values')
       for name in ('builtins.set', 'builtins.frozenset', 'collections.Counter')},
    'copies of a long text': (archive(repeated(
        LONG_TEXT, b'c_codecs\nencode\nh\x01' + text('latin1') + b'\x86R', 2000)),
        'was refused: references must repeat at most'),
    'slow codec': (archive(mapping(call('_codecs.encode', LONG_TEXT, text('punycode')))), 'was refused: bytes must be'),
    'bytearray of 8 GB': (archive(mapping(call('builtins.bytearray', number(1 << 33)))), 'was refused: a bytearray'),
    'nested bytearray of 8 GB': (archive(mapping(call(
        'torch._tensor._rebuild_from_type_v2', b'cbuiltins\nbytearray\n', b'cbuiltins\nbytearray\n',
        MARK + number(1 << 33) + b't', b'}'))), 'was refused: a tensor with attributes must be made by a function'),
    'tensor of 4 TB': (archive(mapping(call('torch.Tensor', number(1 << 40)))), 'was refused: a tensor must have a'),
    'storage that is called': (archive(mapping(call('torch.storage.UntypedStorage', number(1 << 33)))),
                               'was refused: torch.storage.UntypedStorage must not be called'),
    'text of 4 GB': (archive(b'\x80\x02X\xff\xff\xff\xffabc.'), 'is not a complete checkpoint: ValueError: expected'),
    'old text of 4 GB': (old(b'\x80\x02X\xff\xff\xff\xffabc.'), 'is not a complete checkpoint: ValueError: expected'),
    'text of 2^60 bytes': (archive(b'\x80\x02\x8d' + struct.pack('<Q', 1 << 60) + b'.'), 'is not a complete'),
    'bytes of 2^31': (archive(b'\x80\x03B\xff\xff\xff\x7fabc.'), 'is not a complete checkpoint: '),
    'long integer of 2^31 bytes': (archive(b'\x80\x02\x8b\xff\xff\xff\x7f1.'), 'is not a complete checkpoint: '),
    'frame': (archive(b'\x80\x04\x95' + struct.pack('<Q', 1 << 60) + b'}.'), 'was refused: .* got FRAME'),
    'memo of 2^32 entries': (archive(b'\x80\x02}r\xff\xff\xff\xff.'), 'was refused: references must be numbered'),
    'memo of 2^31 in text': (archive(b'\x80\x02}p2147483647\n.'), 'was refused: .* got PUT'),
    'missing memo': (archive(b'\x80\x02h\x07.'), 'is not a complete checkpoint: KeyError'),
    'empty stack': (archive(b'\x80\x020.'), 'was refused|is not a complete checkpoint: '),
    'instance': (archive(b'\x80\x02(ios\nsystem\n.'), 'was refused: .* got INST'),
    'odd name': (archive(mapping(b'ctorch.hub\nload\n)R')), 'was refused: loading it would run torch.hub.load'),
    'name with escapes': (archive(mapping(b'co\x1b[31ms\nsystem\n)R')), r'was refused: .* run o\\x1b\[31ms\.system'),
    'state of a function': (archive(mapping(b'ctorch._utils\n_rebuild_tensor_v2\n}b')), 'was refused: only lists'),
    'key with escapes': (saved({'a\x1b[31m\n': torch.ones(1)}), r"must have keys of .* got 'a\\x1b\[31m\\n'"),
    'key of a million letters': (saved({'a' * 1_000_000: torch.ones(1)}), r"must have keys of .* got 'a{90,}\.\.\.$"),
    'state dict in lists': (saved({'conv.weight': [[1., 2.]]}), 'has no tensors; its entries are: conv.weight'),
    **{f'{name} tensor': (saved({**WEIGHTS, 'odd': value}), rf"must have dense .* got 'odd': {kind}")
       for name, value, kind in (
           ('meta', torch.empty(1 << 40, device='meta'), 'a meta tensor, which has no values'), )},
    **{f'{name} tensor': (saved({**WEIGHTS, 'odd': value}),
                          rf'was refused: tensors must be dense, got a call of torch\._utils\._rebuild_{kind}$')
       for name, value, kind in (
           ('sparse', torch.eye(3).to_sparse(), 'sparse_tensor'),
           ('CSR', torch.eye(3).to_sparse_csr(), 'sparse_tensor'),
           ('quantized', torch.quantize_per_tensor(torch.ones(3), .1, 0, torch.qint8), 'qtensor'),
           ('nested', torch.nested.nested_tensor([torch.ones(1), torch.ones(2)]), 'nested_tensor'))},
    'empty sparse tensor': (archive(mapping(call('torch.sparse.FloatTensor'))), 'was refused: tensors must be dense'),
    **{f'{name} in place of a tensor': (saved({**WEIGHTS, 'odd': value}), f"must map .*, got 'odd': {kind}")
       for name, value, kind in (('storage', torch.ones(3).untyped_storage(), r'\w+Storage'),
                                 ('array', torch.ones(3).numpy(), 'LoadedArray'), ('list', [1.], 'list'))},
    'header of 2^60 bytes': (safetensors({}, size=1 << 60), 'must have a header of at most'),
    'deep header': (safetensors(b'{"a": ' * DEEP), 'is not a complete safetensors file'),
    'tensors that overlap': (safetensors({'a': entry(), 'b': entry()}, bytes(4)), 'is not a complete safetensors file'),
    'unknown dtype': (safetensors({'a': entry('Q9')}, bytes(4)), 'is not a complete safetensors file'),
    'metadata that are no text': (safetensors({'__metadata__': {'a': 3}, 'a': entry()}, bytes(4)),
                                  'is not a complete safetensors file'),
    'shape beyond 64 bits': (safetensors({'a': entry(shape=(1 << 40, 1 << 40))}, bytes(4)), 'is not a complete'),
    'deep metadata': (safetensors({'__metadata__': {'hrnet_plugin': '[' * DEEP}, 'a': entry()}, bytes(4)),
                      'must have a mapping of modules to metadata, got'),
    'eight bytes': (safetensors(b''), 'is not a'),
}

#: Checkpoints with values that are loaded.
HARMLESS = {
    'parent folders in names': archive(ONE, {**RECORDS, '../../victim': b'x'}),
    'parameters': saved({'x0': nn.Parameter(torch.ones(2))}),
    'shared': saved({f'x{i}': WEIGHTS['conv.weight'] for i in range(3)}),
    **{str(dtype): saved({'x0': torch.ones(2).to(dtype)}) for dtype in (
        torch.bool, torch.bfloat16, torch.complex64, torch.float8_e4m3fn, torch.int8)},
    'attribute that hides a method': archive(mapping(call(
        'torch._utils._rebuild_parameter_with_state', tensor((2, ), (1, )), b'\x89', b'}',
        b'}' + text('detach') + text('no method') + b's'))),
    'large metadata': safetensors({'__metadata__': {'hrnet_plugin': json.dumps(
        {'a': {'b': 'x' * 5000, 'c': [[1]], 'd': 'nearest', 'e\n': 1, 'f': '\x1b'}})}, 'x0': entry()}, bytes(4)),
}
