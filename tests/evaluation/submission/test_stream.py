"""Tests of the streaming reader and its limit of nesting."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from paths import ROOT

from hrnet_plugin.evaluation.submission.stream import DEEPEST, read_detections

pytest.importorskip('ijson')

BOX = dict(image_id=1, category_id=18, bbox=[5.5, 3, 20.25, 30], score=0.5)
WORDS = f'results must have at most {DEEPEST} nested lists and objects, got more'


@pytest.fixture
def file(tmp_path):
    return tmp_path / 'results.json'


def nested(depth):
    """Make a value of lists and objects nested ``depth`` levels deep."""
    value = 1
    for k in range(depth):
        value = [value, 2] if k % 2 else {'a': value}
    return value


def test_depth(file):
    good = [BOX, {**BOX, 'a': nested(DEEPEST - 2)}, nested(DEEPEST - 1), 3, [], {}]
    file.write_text(json.dumps(good))
    assert list(read_detections(file)) == good
    for bad in ({**BOX, 'a': nested(DEEPEST - 1)}, nested(DEEPEST)):
        file.write_text(json.dumps([BOX, bad]))
        with pytest.raises(ValueError, match=f'^{WORDS}$'):
            list(read_detections(file))


@pytest.mark.parametrize('text', [
    '[[[[[[[[[[', '{"[{[{[{[{[{', '\\', '"[[[[[[[[[[[', '\\"[[[[[[[[[[[', '\\\\"[[[[[[[[[[[', 'é[\u1234'])
@pytest.mark.parametrize('ascii_only', [True, False])
def test_brackets_in_strings_do_not_count(file, text, ascii_only):
    good = [{**BOX, 'name': text}, {text: text}, text, [BOX, text, [text]]]
    file.write_text(json.dumps(good, ensure_ascii=ascii_only), encoding='utf-8')
    assert list(read_detections(file)) == good
    file.write_text(json.dumps([*good, nested(DEEPEST)], ensure_ascii=ascii_only), encoding='utf-8')
    with pytest.raises(ValueError, match=WORDS):
        list(read_detections(file))


@pytest.mark.parametrize('offset', range(65500, 65560))
def test_block_boundaries(file, offset):
    text = '\\"[[[[[[[[['
    good = ['x' * offset, text, {**BOX, text: nested(DEEPEST - 2)}]
    file.write_text(json.dumps(good))
    assert list(read_detections(file)) == good
    file.write_text(json.dumps([*good, nested(DEEPEST)]))
    with pytest.raises(ValueError, match=WORDS):
        list(read_detections(file))


def test_detections_before_an_error_are_read(file):
    file.write_text(json.dumps([BOX] * 3000 + [nested(DEEPEST)]))
    reader = read_detections(file)
    assert [next(reader) for _ in range(1000)] == [BOX] * 1000
    with pytest.raises(ValueError, match=WORDS):
        list(reader)


def test_nesting_after_the_end_is_an_error(file):
    file.write_text('[1]' + ' ' * 70000 + '[' * 20)
    with pytest.raises(ValueError, match='results must '):
        list(read_detections(file))


def test_messages_have_one_line(file):
    for text in ('[{"a": 1', '[{"a": nul}]', '[' + '9' * 200000 + ']', '[{"' + 'a' * 200000 + '" 1}]', '[1]]', '[1}'):
        file.write_text(text)
        words = r'^results must be complete JSON, got an error after \d detections: '
        with pytest.raises(ValueError, match=words) as caught:
            list(read_detections(file))
        assert len(str(caught.value).splitlines()) == 1
        assert len(str(caught.value)) < 200


_READ = '''
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
from hrnet_plugin.evaluation.submission.stream import read_detections
import ijson
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    list(read_detections(sys.argv[1]))
except ValueError as error:
    print(error, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, sep='|')
'''


@pytest.mark.parametrize('backend', ['', 'python'])
@pytest.mark.parametrize('text', [
    '[' * 200000, '[{"a":' * 34000, '[{"a":' + '[' * 200000, '[{"' + 'a' * 100000 + '":' + '[1,' * 34000])
def test_memory_is_bounded(file, text, backend):
    """Read deep nesting, for which ijson alone takes gigabytes."""
    pytest.importorskip('resource')
    file.write_text(text)
    options = dict(os.environ, **dict(IJSON_BACKEND=backend) if backend else {})
    done = subprocess.run([sys.executable, '-c', _READ, str(file)], cwd=ROOT, env=options, check=True, timeout=60,
                          capture_output=True, text=True)
    words, kilobytes = done.stdout.split('|')
    assert words == WORDS
    assert done.stderr == ''
    assert int(kilobytes) < 32 * 1024


def test_pipes_and_folders_are_not_opened(file):
    os.mkfifo(file)
    with pytest.raises(ValueError, match=r'a JSON list of detections, got a pipe\. Write it to a file first\.$'):
        list(read_detections(file))
    with pytest.raises(ValueError, match=r'must be a JSON list of detections, got a folder$'):
        list(read_detections(file.parent))


def test_the_last_value_of_a_repeated_key_counts(file):
    file.write_text('[{"score": 0.25, "score": 0.5}]')
    assert list(read_detections(file)) == [dict(score=0.5)]
