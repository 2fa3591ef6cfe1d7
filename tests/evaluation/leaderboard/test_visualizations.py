"""Tests that the page reads images only from run folders below the store and from --pictures."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import pytest
from leaderboard_rows import collect_warnings
from PIL import Image

from hrnet_plugin.cli import leaderboard
from hrnet_plugin.evaluation.leaderboard.facts import Conditions, DataFacts, Scores
from hrnet_plugin.evaluation.leaderboard.local_results import local_entries, local_entry
from hrnet_plugin.evaluation.leaderboard.page import images
from hrnet_plugin.evaluation.leaderboard.record import Record
from hrnet_plugin.evaluation.leaderboard.store import ResultStore
from hrnet_plugin.evaluation.leaderboard.visualizations import is_trusted, resolve_folder

TIME = '20240229_235959'
EMBEDDED = 'data:image/jpeg;base64,'


@pytest.fixture
def warnings(monkeypatch):
    return collect_warnings(monkeypatch, images)


def make_run(folder, *parts, name=TIME):
    """Make a run folder with its log, and return a folder of two images in it."""
    pictures = draw(folder.joinpath(name, *parts))
    (folder / name / f'{name}.log').touch()
    return pictures


def draw(folder):
    folder.mkdir(parents=True)
    for name in ('a.png', 'b.jpg'):
        Image.new('RGB', (40, 30), 'red').save(folder / name)
    return folder


def make_record(pictures):
    return Record(task='pose', config='mine', data=DataFacts(data='sample', split='', images=3, whole=False),
                  scores=Scores(metrics={'AP': .5}), conditions=Conditions(pictures=pictures))


def store_of(folder, *pictures):
    """Write a store with one record per folder of images."""
    store = ResultStore(folder / 'results.sqlite')
    for place in pictures:
        store.append(make_record(place or ''))
    return store.path


def page_of(store, *options):
    """Return the page of the rows of a store."""
    pytest.importorskip('plotly')
    out = store.parent / 'out'
    leaderboard.main(['--store', str(store), '--data', 'sample', '--out', str(out), *map(str, options)])
    return (out / 'leaderboard.html').read_text(encoding='utf-8')


def test_images_of_runs_below_the_store_are_embedded(tmp_path, warnings):
    """Embed images of `mim test ... --show-dir pictures --record` and of mmsegmentation."""
    first = make_run(tmp_path / 'work_dirs' / 'one', 'pictures')
    second = make_run(tmp_path / 'work_dirs' / 'two', 'vis_data', 'vis_image')
    store = store_of(tmp_path / 'work_dirs', str(first), str(second))
    assert [entry.conditions.pictures for entry in local_entries([store])] == [str(first), str(second)]
    assert page_of(store).count(EMBEDDED) == 4
    assert warnings == []


def test_a_relative_store_and_relative_folders(tmp_path, monkeypatch):
    pictures = make_run(tmp_path / 'one', 'pictures')
    store_of(tmp_path, os.path.relpath(pictures, tmp_path))
    monkeypatch.chdir(tmp_path)
    assert local_entries(['results.sqlite'])[0].conditions.pictures == str(pictures)
    monkeypatch.chdir(tmp_path / 'one')  # relative to the store's folder, not the working directory
    assert local_entries(['../results.sqlite'])[0].conditions.pictures == str(pictures)


def test_private_folders_below_a_foreign_store_are_not_embedded(tmp_path, warnings):
    """Refuse private folders of a home directory that contains the store."""
    private = [draw(tmp_path / 'Pictures'), draw(tmp_path / '.ssh'), draw(tmp_path / TIME / 'photos')]  # without a log
    store = store_of(tmp_path, *map(str, [*private, *private]))
    assert EMBEDDED not in page_of(store)
    assert len(warnings) == 3  # one per folder
    for folder, text in zip(private, warnings):
        assert repr(str(folder)) in text
        assert '--pictures FOLDER' in text


def test_other_runs_are_not_embedded(tmp_path, warnings):
    other = make_run(tmp_path / 'other', 'pictures')
    (tmp_path / 'mine').mkdir()
    store = store_of(tmp_path / 'mine', str(other), str(tmp_path / 'mine' / '..' / 'other' / TIME / 'pictures'),
                     f'../other/{TIME}/pictures')
    assert EMBEDDED not in page_of(store)
    assert len(warnings) == 1  # three paths of one folder


def test_folders_of_the_option_are_embedded(tmp_path, warnings):
    first, second, third = (draw(tmp_path / name) for name in ('root/one', 'root/two', 'private'))
    store = store_of(tmp_path, str(first), str(second), str(third))
    assert page_of(store, '--pictures', tmp_path / 'root').count(EMBEDDED) == 4
    assert len(warnings) == 1
    assert repr(str(third)) in warnings[0]
    assert page_of(store, '--pictures', first, second, third).count(EMBEDDED) == 6


def test_paths_elsewhere_are_not_looked_up(tmp_path, monkeypatch, warnings):
    """A path may mount a disk, or connect to another machine."""
    elsewhere = [f'/elsewhere/machine {number}/disk' for number in range(12)]
    store = store_of(tmp_path, *elsewhere, f'../..{"/.." * 50}{elsewhere[0]}')
    for name in ('stat', 'lstat', 'scandir', 'readlink'):
        def look_up(path, *args, look=getattr(os, name), **options):
            assert not str(path).startswith('/elsewhere')
            return look(path, *args, **options)
        monkeypatch.setattr(os, name, look_up)
    assert EMBEDDED not in page_of(store)
    assert len(warnings) == 11
    assert elsewhere[0] in warnings[0]
    assert warnings[-1] == 'Images in 2 more folders are left out'


@pytest.mark.skipif(os.name == 'nt', reason='symbolic links require privileges')
def test_links_are_not_followed_out_of_a_run(tmp_path, warnings):
    private = draw(tmp_path / 'private')
    runs = tmp_path / 'runs'
    linked = make_run(runs / 'one', 'pictures')
    for name in ('a.png', 'b.jpg'):
        (linked / name).unlink()
        (linked / name).symlink_to(private / name)
    (runs / 'two' / TIME).mkdir(parents=True)
    (runs / 'two' / TIME / f'{TIME}.log').touch()
    (runs / 'two' / TIME / 'pictures').symlink_to(private)
    (runs / 'three').mkdir()
    (runs / 'three' / 'loop').symlink_to('loop')
    store = store_of(runs, str(linked), str(linked), str(runs / 'two' / TIME / 'pictures'), 'three/loop')
    assert EMBEDDED not in page_of(store)
    assert sum(repr(str(private)) in text for text in warnings) == 1
    assert sum('symbolic link that leads out of it' in text for text in warnings) == 2  # each image once
    assert EMBEDDED not in page_of(store, '--pictures', runs)


@pytest.mark.skipif(os.name == 'nt', reason='symbolic links require privileges')
def test_a_folder_of_runs_may_be_a_link(tmp_path):
    make_run(tmp_path / 'disk' / 'one', 'pictures')
    (tmp_path / 'work_dirs').symlink_to(tmp_path / 'disk')
    store = store_of(tmp_path / 'work_dirs', str(tmp_path / 'work_dirs' / 'one' / TIME / 'pictures'))
    assert local_entries([store])[0].conditions.pictures == str(tmp_path / 'disk' / 'one' / TIME / 'pictures')


@pytest.mark.parametrize('value', [
    None, 3, 1.5, True, ['a'], {'a': 'b'}, '', '\0', 'a\0b', '\ud800', '\n', 'x' * 5000, 'x/' * 10**6, '/' * 10**6,
    'x/' * 2000, 'not/there', 'results.sqlite'], ids=lambda value: repr(value)[:20])
def test_invalid_folders_are_left_out(tmp_path, value):
    assert resolve_folder(value, tmp_path) == ''
    if value != '\ud800':  # which SQLite does not accept
        entry, = local_entries([store_of(tmp_path, value)])
        assert (entry.conditions.pictures, entry.refused_visualizations) == ('', '')


def test_a_row_without_a_store_has_no_folder(tmp_path):
    record = make_record(str(make_run(tmp_path, 'pictures')))
    assert local_entry(record, 'results').conditions.pictures == ''


@pytest.mark.parametrize(('name', 'log', 'trusted'), [
    (TIME, f'{TIME}.log', True), (TIME, f'{TIME}_node_device0_rank0.log', True), (TIME, 'other.log', False),
    (TIME, f'{TIME}.txt', False), ('pictures', 'pictures.log', False), ('2024_2025', '2024_2025.log', False)])
def test_run_folders(tmp_path, name, log, trusted):
    folder = tmp_path / name / 'pictures'
    folder.mkdir(parents=True)
    (tmp_path / name / log).touch()
    assert is_trusted(str(folder), tmp_path) is trusted
    assert is_trusted(str(folder.parent), tmp_path) is trusted
    assert is_trusted(str(tmp_path), tmp_path) is False


def huge_png():
    """Encode a small PNG file whose header specifies 400 million pixels."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    head = struct.pack('>IIBBBBB', 20000, 20000, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', zlib.compress(b'')) + chunk(b'IEND', b'')


def as_bytes(image, kind):
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


PNG = as_bytes(Image.effect_noise((64, 64), 50), 'PNG')
BROKEN = {'huge': huge_png(), 'half': PNG[:len(PNG) // 2], 'other header': PNG[:16] + b'\xff' * 8 + PNG[24:],
          'text': b'not an image', 'empty': b'', 'EPS': as_bytes(Image.new('RGB', (4, 4)), 'EPS')}


@pytest.mark.parametrize('content', BROKEN.values(), ids=BROKEN)
def test_broken_images_are_left_out(tmp_path, warnings, content):
    folders = [make_run(tmp_path / name, 'pictures') for name in ('one', 'two')]
    (folders[0] / 'a.png').write_bytes(content)
    assert page_of(store_of(tmp_path, *map(str, folders))).count(EMBEDDED) == 3
    assert len(warnings) == 1
    assert repr(str(folders[0] / 'a.png')) in warnings[0]


@pytest.mark.parametrize(('words', 'message'), [
    (['--pictures', '.'], 'require --out'),
    (['--out', 'x', '--pictures', '.', 'not-there'], "--pictures must be existing folders, got 'not-there'")])
def test_the_option_of_trusted_folders(tmp_path, monkeypatch, capsys, words, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        leaderboard.parse_args(words)
    assert message in capsys.readouterr().err
    assert leaderboard.parse_args(['--out', 'x', '--pictures', '.', str(tmp_path)]).pictures == [Path('.'), tmp_path]
