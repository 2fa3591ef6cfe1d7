"""Predictions of tests are loaded from pickles without code, and hostile ones are refused at once."""

from __future__ import annotations

import os
import pickle
import struct
import time

import pytest
import torch
from hostile_checkpoints import COLLIDING, MARK, call, doubled, text

from hrnet_plugin.checkpoints.prediction_file import load_predictions

SAMPLE = dict(img_path='a.jpg', ori_shape=(2, 3), flip=False, scale_factor=(1., 0.5), count=2**40,
              pred_sem_seg=dict(data=torch.arange(6).view(1, 2, 3)))


@pytest.mark.parametrize('protocol', [2, 3, 4, 5])
def test_predictions_of_all_protocols(tmp_path, protocol):
    (tmp_path / 'a.pkl').write_bytes(pickle.dumps([SAMPLE, SAMPLE, dict(SAMPLE, img_path='ä.jpg')], protocol))
    first, second, third = load_predictions(tmp_path / 'a.pkl')
    assert first is second
    assert torch.equal(third['pred_sem_seg'].pop('data'), SAMPLE['pred_sem_seg']['data'])
    assert third == dict(SAMPLE, img_path='ä.jpg', pred_sem_seg={})


class Attack:
    def __reduce__(self):
        return os.mkdir, ('attacked', )


def storage(content):
    """Return the pickle of a storage with a nested file."""
    return b'\x80\x02' + call('torch.storage._load_from_bytes', b'B' + struct.pack('<I', len(content)) + content) + b'.'


HOSTILE = {
    'function': (pickle.dumps([Attack()]), r'loading it would run posix\.mkdir'),
    'function in a storage': (storage(pickle.dumps(Attack(), 2) * 5), r'loading it would run posix\.mkdir'),
    'archive in a storage': (storage(b'PK\x03\x04\n' + bytes(100)), 'got PERSID'),
    'list of 2^60 items': (b'\x80\x02' + doubled(60, b']') + b'.', 'references must repeat at most'),
    'keys of one hash': (b'\x80\x02}' + MARK + b''.join(key + b'N' for key in COLLIDING) + b'u.', 'at most 10000 keys'),
    'frame of 2^60 bytes': (b'\x80\x04\x95' + struct.pack('<Q', 1 << 60) + b'}.', 'a frame must have at most'),
    'memo of 2^25 entries': (b'\x80\x02}r\xff\xff\xff\x01.', 'references must be numbered from 0'),
    'text of 4 GB': (b'\x80\x02X\xff\xff\xff\xffabc.', 'expected 4294967295 bytes'),
    'bytes of 4 GB': (b'\x80\x03B\xff\xff\xff\xffabc.', 'expected 4294967295 bytes'),
    'bytearray of 2 GB': (b'\x80\x02' + call('builtins.bytearray', b'J\xff\xff\xff\x7f') + b'.', 'a bytearray must be'),
    'storage outside': (b'\x80\x02(' + text('storage') + b'tQ.', 'a storage must be in the pickle'),
    'storage of a number': (b'\x80\x02' + call('torch.storage._load_from_bytes', b'K\x01') + b'.', 'made of bytes'),
    'name that is no text': (b'\x80\x04K\x01K\x02\x93.', 'a name must be text'),
    'empty': (b'', 'empty file'),
    'text': (b'text', 'pop from empty list'),
}


@pytest.mark.parametrize('kind', HOSTILE)
def test_hostile_predictions_are_refused(tmp_path, monkeypatch, kind):
    monkeypatch.chdir(tmp_path)
    content, message = HOSTILE[kind]
    (tmp_path / 'a.pkl').write_bytes(content)
    start = time.process_time()
    with pytest.raises(ValueError, match=message) as caught:
        load_predictions(tmp_path / 'a.pkl')
    assert time.process_time() - start < 3
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
    assert os.listdir() == ['a.pkl']
