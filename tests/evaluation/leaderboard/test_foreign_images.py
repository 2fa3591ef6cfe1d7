"""Tests of images that may come from anyone: bounded time, memory and numbers."""

from __future__ import annotations

import base64
import io
import os
import struct
import subprocess
import sys
import zlib

import pytest
from leaderboard_rows import collect_warnings, make_entry
from paths import ROOT
from PIL import Image, PngImagePlugin

from hrnet_plugin.evaluation.leaderboard.page import images
from hrnet_plugin.evaluation.leaderboard.page.images import PageImages

JPEG = 'data:image/jpeg;base64,'


@pytest.fixture
def warnings(monkeypatch):
    return collect_warnings(monkeypatch, images)


def row(folder):
    return make_entry(task='detection', source='own', place='x', data='x', split='val', metrics={},
                      pictures=str(folder))


def embed(folder, *names):
    """Return the embedded images of a folder as images of PIL."""
    found = PageImages().embed(row(folder), names)
    return {name: Image.open(io.BytesIO(base64.b64decode(address.removeprefix(JPEG))))
            for name, address in found.items()}


def png(width, height, rows, *chunks):
    """Encode a PNG file of RGB pixels, with rows of zeros."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    head = chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0))
    pixels = zlib.compress(bytes((3 * width + 1) * rows), 9)
    return b''.join([b'\x89PNG\r\n\x1a\n', head, *chunks, chunk(b'IDAT', pixels), chunk(b'IEND', b'')])


def test_images_of_all_modes_are_embedded(tmp_path, warnings):
    small = Image.new('RGB', (40, 30), 'red')
    for name, mode in (('cmyk.jpg', 'CMYK'), ('gray.jpg', 'L'), ('palette.png', 'P'), ('bits.png', '1'),
                       ('rgba.png', 'RGBA'), ('gray-alpha.png', 'LA')):
        small.convert(mode).save(tmp_path / name)
    Image.new('I;16', (40, 30), 40000).save(tmp_path / 'deep.png')
    small.save(tmp_path / 'animated.png', save_all=True, append_images=[Image.new('RGB', (40, 30), 'blue')])
    names = sorted(os.listdir(tmp_path))
    found = embed(tmp_path, *names)
    assert sorted(found) == names
    assert {image.size for image in found.values()} == {(40, 30)}
    assert found['animated.png'].getpixel((5, 5))[0] > 200
    assert not warnings


def test_metadata_is_left_out_and_images_are_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112], exif[0x010e] = 6, '<script>secret</script>'
    Image.new('RGB', (40, 30), 'red').save(tmp_path / 'a.jpg', exif=exif, comment=b'<script>secret')
    info = PngImagePlugin.PngInfo()
    info.add_text('Comment', '<script>secret</script>')
    Image.new('RGB', (40, 30), 'red').save(tmp_path / 'b.png', pnginfo=info)
    found = PageImages().embed(row(tmp_path), ['a.jpg', 'b.png'])
    data = [base64.b64decode(address.removeprefix(JPEG)) for address in found.values()]
    assert not [one for one in data if b'secret' in one or b'Exif' in one]
    assert Image.open(io.BytesIO(data[0])).size == (30, 40)


@pytest.mark.parametrize(('name', 'words'), [
    ('bomb.png', 'pixels'), ('photo.png', 'must have at most 50000000 pixels, got 12000 x 5000'),
    ('large.png', 'must have at most 67108864 bytes'),
    ('gif.jpg', 'cannot identify'), ('half.jpg', 'truncated'), ('text.png', '')])
def test_an_image_that_cannot_be_read_costs_this_image(tmp_path, warnings, name, words):
    (tmp_path / 'bomb.png').write_bytes(png(50000, 50000, 50))
    (tmp_path / 'photo.png').write_bytes(png(12000, 5000, 50))
    with (tmp_path / 'large.png').open('wb') as file:
        file.truncate(500 * 2**20)  # sparse
    Image.new('RGB', (4, 4)).save(tmp_path / 'gif.jpg', 'GIF')
    whole = io.BytesIO()
    Image.effect_noise((64, 64), 50).save(whole, 'JPEG')
    (tmp_path / 'half.jpg').write_bytes(whole.getvalue()[:-500])
    (tmp_path / 'text.png').write_bytes(png(40, 30, 30, struct.pack('>I', 2**31 - 1) + b'zTXt'))
    Image.new('RGB', (4, 4)).save(tmp_path / 'good.png')
    assert list(embed(tmp_path, name, 'good.png')) == ['good.png']
    line, = warnings
    assert repr(str(tmp_path / name)) in line
    assert words in line
    assert '\n' not in line


@pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='no FIFOs')
def test_other_files_are_no_images(tmp_path, warnings):
    os.mkfifo(tmp_path / 'fifo.png')
    (tmp_path / 'folder.png').mkdir()
    (tmp_path / 'loop.png').symlink_to('loop.png')
    (tmp_path / 'device.png').symlink_to('/dev/zero')
    names = ['fifo.png', 'folder.png', 'loop.png', 'device.png', '../x.png', '/dev/zero', 'not-there.png']
    assert PageImages().embed(row(tmp_path), names) == {}
    assert PageImages().common_names([row(tmp_path)] * 2) == []
    assert not warnings


def test_the_images_of_a_page_are_bounded(tmp_path, warnings, monkeypatch):
    for number in range(30):
        Image.new('RGB', (4, 4)).save(tmp_path / f'{number:02}.png')
    monkeypatch.setattr(images, '_MAX_ON_PAGE', 8)
    page = PageImages()
    names = page.common_names([row(tmp_path)] * 2)
    assert names == [f'{number:02}.png' for number in range(6)]
    assert [len(page.embed(row(tmp_path), names)) for _ in range(4)] == [6, 2, 0, 0]
    line, = warnings
    assert line == 'The page has 8 images. All others are left out'


MEASURE = '''
import resource, sys
from pathlib import Path
from PIL import Image
from hrnet_plugin.evaluation.leaderboard.page.images import _embed_image
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert _embed_image(Path(sys.argv[1]))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
'''


@pytest.mark.skipif(sys.platform != 'linux', reason='the unit of the memory differs')
@pytest.mark.slow
@pytest.mark.parametrize('mode', ['RGB', 'P', 'RGBA'])
def test_the_largest_image_takes_less_than_300_mb(tmp_path, mode):
    Image.new(mode, (10000, 5000)).save(tmp_path / 'large.png', compress_level=1)
    done = subprocess.run([sys.executable, '-c', MEASURE, str(tmp_path / 'large.png')], check=True, capture_output=True,
                          text=True, env={**os.environ, 'PYTHONPATH': str(ROOT)})
    assert float(done.stdout.split()[-1]) < 300
