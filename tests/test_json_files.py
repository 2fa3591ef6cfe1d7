"""Tests of the limits of the JSON reader."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrnet_plugin.json_depth import DepthScan
from hrnet_plugin.json_files import RECORD_BYTES, RECORD_DEPTH, parse_json, read_json, read_object

MEGABYTE = 10**6
VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
                      | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
NOT_JSON = {
    'nothing': (b' \n', r'got no text\. Export it again\.$'),
    'a cut file': (b'{"a": ', 'got invalid JSON: Expecting value: line 1 column 7 .*Export it again'),
    'two values': (b'{} {}', 'got invalid JSON: Extra data'),
    'a line break in a text': (b'["a\nb"]', 'got invalid JSON: Invalid control character'),
    'another encoding': ('{}'.encode('utf-16'), 'got text that is not UTF-8: byte 0xff .* Save it as UTF-8.'),
    'a key twice': (b'{"b": [{"a": 1, "a": 1}]}', "got the key 'a' twice in an object"),
    'a long key twice': (b'{"' + b'a' * 999 + b'": 1, "' + b'a' * 999 + b'": 1}', "got the key 'a{60}' twice"),
    'no number': (b'[NaN]', 'got NaN, which is no number of JSON'),
    'infinity': (b'[-Infinity]', 'got -Infinity, which is no number of JSON'),
    'many digits': (b'[' + b'9' * MEGABYTE + b']', 'got an integer of thousands of digits'),
    'lists': (b'[' * MEGABYTE, f'got more than {RECORD_DEPTH} nested lists and objects'),
    'objects': (b'{"a":' * (MEGABYTE // 5), f'got more than {RECORD_DEPTH} nested lists and objects'),
    'a key a million times': (b'{' + b'"":0,' * (MEGABYTE // 5) + b'"":0}', "got the key '' twice"),
}


@pytest.mark.parametrize(('content', 'words'), NOT_JSON.values(), ids=NOT_JSON)
def test_invalid_files_have_one_line(tmp_path, content, words):
    file = tmp_path / 'a.json'
    file.write_bytes(content)
    start = time.process_time()
    with pytest.raises(ValueError, match=rf'^{file} must be a record, {words}') as caught:
        read_json(file, 'a record')
    assert time.process_time() - start < 5
    assert len(str(caught.value)) - len(str(file)) < 200
    assert '\n' not in str(caught.value)


def test_a_byte_order_mark_is_harmless(tmp_path):
    file = tmp_path / 'a.json'
    file.write_text('{"a": 1}', encoding='utf-8-sig')
    assert read_json(file) == read_object(file) == {'a': 1}


@given(VALUES)
def test_valid_values(value):
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False).encode('utf-8', 'replace')):
        assert parse_json(text, 'text', max_depth=1000) == json.loads(text)


@pytest.mark.parametrize('brackets', ['[]', '{}'])
def test_depth_is_exact(brackets):
    key = '"a":' if brackets == '{}' else ''
    for depth, limit in ((3, 3), (100, 100), (400, 400)):
        text = f'{brackets[0]}{key}' * (depth - 1) + brackets + brackets[1] * (depth - 1)
        parse_json(text, 'text', max_depth=limit)
        with pytest.raises(ValueError, match=f'^text must be JSON, got more than {limit - 1} nested'):
            parse_json(text, 'text', max_depth=limit - 1)
    for text in ('["[[[["]', r'["\"[[[["]', r'["\\", "[[[["]', '["[", "[", "["]', '[[], [], []]'):
        parse_json(text, 'text', max_depth=2)


@given(st.text('[]{}"\\a'), st.integers(1, 5))
def test_depth_does_not_depend_on_blocks(text, size):
    whole, parts = DepthScan(), DepthScan()
    whole.add(text.encode())
    for start in range(0, len(text), size):
        parts.add(text[start:start + size].encode())
    assert parts.deepest == whole.deepest


def test_constants_and_hooks():
    assert parse_json('[Infinity]', 'text', allow_nan=True) == [float('inf')]
    assert parse_json('[{"a": {"b": 1}}]', 'text', object_hook=len) == [1]
    assert gc.isenabled()


def test_large_files_are_not_read(tmp_path):
    file = tmp_path / 'a.json'
    with file.open('wb') as opened:
        opened.truncate(RECORD_BYTES + 1)
    words = f'must be a record of at most {RECORD_BYTES} bytes, got {RECORD_BYTES + 1}. Split it'
    with pytest.raises(ValueError, match=words):
        read_json(file, 'a record')


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='the platform has no named pipes')
def test_other_kinds_of_files(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    for path, words in ((tmp_path / 'pipe', r'a pipe\. Write it to a file first\.'), (tmp_path, 'a folder'),
                        ('/dev/zero', 'a device')):
        with pytest.raises(ValueError, match=rf'^{path} must be a record, got {words}$'):
            read_json(path, 'a record')
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / 'nothing.json')


_READ = '''
import resource, sys
from hrnet_plugin.json_files import parse_json
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    parse_json(sys.stdin.buffer.read(), 'text')
except ValueError:
    pass
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
'''


@pytest.mark.parametrize('text', [
    b'[' * MEGABYTE, b'{"a":' * (MEGABYTE // 5), b'[' + b'[],' * (MEGABYTE // 3) + b'0]',
    b'[' + b'{"":0},' * (MEGABYTE // 7) + b'0]', b'"' + '\U0001f600'.encode() * (MEGABYTE // 4) + b'"'],
    ids=['deep lists', 'deep objects', 'lists', 'objects', 'text'])
def test_memory_of_a_megabyte(text):
    pytest.importorskip('resource')
    found = subprocess.run([sys.executable, '-c', _READ], input=text, capture_output=True, check=True)
    assert int(found.stdout) < 300 * 2**10
