"""Damaged checkpoints of all formats are read without a difference, or refused."""

from __future__ import annotations

import io

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from hrnet_plugin.checkpoints.file import read

TENSORS = {'conv.weight': torch.arange(12.).view(3, 4), 'norm.bias': torch.ones(3), 'norm.count': torch.tensor(7)}


def stored(**options):
    file = io.BytesIO()
    torch.save({'state_dict': TENSORS, 'epoch': 3}, file, **options)
    return file.getvalue()


FORMATS = {'zip': stored(), 'old': stored(_use_new_zipfile_serialization=False), 'safetensors': save(TENSORS)}
quick = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'x.pth'


def read_damaged(path, data):
    """Return the tensors, or None if the file is refused. Other errors than these two are raised."""
    path.write_bytes(data)
    try:
        return read(path).tensors
    except (ValueError, OSError) as error:
        message = str(error)
    assert message.isprintable()
    return None


@pytest.mark.parametrize('kind', FORMATS)
@quick
@given(flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), min_size=1, max_size=3))
def test_bit_flips(kind, path, flips):
    """Only a zip archive has checksums. The other formats may have other values, and are not refused for them."""
    data = bytearray(FORMATS[kind])
    for place, bit in flips:
        data[int(place * len(data))] ^= 1 << bit
    tensors = read_damaged(path, bytes(data))
    if kind == 'zip' and tensors is not None:
        assert list(tensors) == list(TENSORS)
        assert all(torch.equal(tensors[name], value) for name, value in TENSORS.items())


@pytest.mark.parametrize('kind', FORMATS)
@quick
@given(share=st.floats(0, 1, exclude_max=True))
def test_truncations(kind, path, share):
    data = FORMATS[kind]
    assert read_damaged(path, data[:int(share * len(data))]) is None


@pytest.mark.parametrize('kind', FORMATS)
@quick
@given(start=st.floats(0, 1, exclude_max=True), inserted=st.binary(max_size=40), removed=st.integers(0, 40))
def test_replaced_bytes(kind, path, start, inserted, removed):
    data = FORMATS[kind]
    first = int(start * len(data))
    read_damaged(path, data[:first] + inserted + data[first + removed:])


def test_checksums_that_the_writer_has_disabled(path):
    torch.serialization.set_crc32_options(False)
    try:
        path.write_bytes(stored())
    finally:
        torch.serialization.set_crc32_options(True)
    assert torch.equal(read(path).tensors['conv.weight'], TENSORS['conv.weight'])


def test_the_message_of_a_long_name_is_short(path):
    data = bytearray(FORMATS['zip'])
    data[26:28] = (500).to_bytes(2, 'little')  # length of the name in the header of the first entry
    data[30:530] = b'Z' * 500
    path.write_bytes(data)
    with pytest.raises(ValueError, match='is not a complete checkpoint: File name in directory') as refused:
        read(path)
    assert len(str(refused.value)) < 300 + len(str(path))
