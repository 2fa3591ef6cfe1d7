"""Plans of rows: data, weights and hours that their tests require, without running them."""

from __future__ import annotations

import hashlib

import pytest
import torch
from mmengine.config import Config
from reproduction_rows import make_row, write_project

from hrnet_plugin.cli.errors import one_line
from hrnet_plugin.experiments.reproduction import BrokenRow, plan_rows, requirements_text
from hrnet_plugin.experiments.reproduction.data import data_paths, fingerprint
from hrnet_plugin.experiments.reproduction.weights import fetch_weights, find_weights

URL = 'https://host/models/net-0123abcd.pth'


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    (tmp_path / 'hub/checkpoints').mkdir(parents=True)
    return tmp_path / 'hub/checkpoints'


def plan(row, roots=(), weights=None):
    found, = plan_rows([row], dict(roots), weights, one_line)
    return found


def test_paths_of_datasets_and_evaluators():
    dataset = dict(type='A', data_root='d', ann_file='a.json', bbox_file='boxes.json', data_prefix=dict(img='x/'))
    other = dict(type='B', data_root='e', ann_file='', data_prefix=dict(img_path='y', seg_map_path='z'))
    config = Config(dict(test_dataloader=dict(dataset=dict(type='ConcatDataset', datasets=[dataset, other])),
                         test_evaluator=[dict(type='M', ann_file='m.json'), dict(type='N')]))
    assert list(map(str, data_paths(config))) == ['boxes.json', 'd/a.json', 'd/x', 'e/y', 'e/z', 'm.json']


def test_the_data_root_moves_all_paths(tmp_path):
    config = str(write_project(tmp_path))
    assert [str(path) for path in plan(make_row(config=config)).paths] == ['data/images', 'data/labels']
    moved = plan(make_row(config=config, data='mine'), {'mine': '/there', '': '/elsewhere'})
    assert [str(path) for path in moved.paths] == ['/there/images', '/there/labels']
    assert moved.missing_paths == moved.paths
    assert plan(make_row(config=config), {'': str(tmp_path / 'data')}).missing_paths == ()


def test_a_row_changes_entries_of_its_config(tmp_path):
    row = make_row(config=str(write_project(tmp_path)), options=('model.a=[1.5,2]', 'model.b=False'))
    model = plan(row).config.model
    assert (model.a, model.b, model.type) == ([1.5, 2], False, 'EncoderDecoder')


@pytest.mark.parametrize(('text', 'message'), [
    (None, 'config must be the name of a shipped config or the path of a file'),
    ('raise KeyError("x")', 'KeyError'),
    ('a = (', 'was never closed'),
    ('a = 1', 'must have the entry test_dataloader'),
])
def test_unreadable_configs_are_one_line(text, message, tmp_path):
    if text is not None:
        (tmp_path / 'mine.py').write_text(text)
    found = plan(make_row(config=str(tmp_path / 'mine.py')))
    assert isinstance(found, BrokenRow)
    assert message in found.error
    assert '\n' not in found.error


def test_fingerprints_change_with_the_data(tmp_path):
    write_project(tmp_path)
    folder, file = tmp_path / 'data/images', tmp_path / 'mine.pth'
    before = fingerprint([folder, file])
    assert fingerprint([folder, file]) == before
    (folder / 'b.png').touch()
    with_image = fingerprint([folder, file])
    assert with_image[str(folder)] != before[str(folder)]
    file.write_bytes(b'x')
    assert fingerprint([folder, file])[str(file)] != before[str(file)]


class TestWeights:

    def test_an_absolute_path(self, tmp_path):
        row = make_row(address=str(tmp_path / 'mine.pth'))
        assert find_weights(row, None).state == 'missing'
        (tmp_path / 'mine.pth').touch()
        assert find_weights(row, None).path == tmp_path / 'mine.pth'

    def test_an_address_is_downloaded_unless_cached(self, cache):
        row = make_row(address=URL, file='net-0123abcd.pth', sha256='0123abcd')
        assert find_weights(row, None).text == f'to download from {URL}'
        (cache / 'net-0123abcd.pth').touch()
        assert find_weights(row, None).path == cache / 'net-0123abcd.pth'

    def test_a_folder_replaces_downloads(self, cache, tmp_path):
        row = make_row(address=URL, file='net-0123abcd.pth')
        assert find_weights(row, tmp_path).state == 'missing'
        (tmp_path / 'net-0123abcd.pth').touch()
        assert find_weights(row, tmp_path).path == tmp_path / 'net-0123abcd.pth'

    @pytest.mark.parametrize('address', ['https://1drv.ms/u/s!Au?e=x', 'pose_hrnet.pth'])
    def test_web_pages_and_shared_folders_are_for_the_user(self, address):
        found = find_weights(make_row(address=address), None)
        assert found.state == 'missing'
        assert 'download by hand' in found.text

    def test_the_digest_in_the_name_is_checked(self, tmp_path):
        torch.save({'weight': torch.ones(2)}, tmp_path / 'net.pth')
        digits = hashlib.sha256((tmp_path / 'net.pth').read_bytes()).hexdigest()[:8]
        for given, name, works in ((digits, 'a.pth', True), ('0123abcd', 'b.pth', False), ('', 'c.pth', True),
                                   ('', 'net-0123abcd.pth', False)):
            (tmp_path / name).write_bytes((tmp_path / 'net.pth').read_bytes())
            row = make_row(address=URL, file=name, sha256=given)
            if works:
                assert fetch_weights(row, find_weights(row, tmp_path)) == tmp_path / name
            else:
                with pytest.raises(ValueError, match='must have the sha256 0123abcd'):
                    fetch_weights(row, find_weights(row, tmp_path))


def test_requirements(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = str(write_project(tmp_path))
    rows = [make_row(name='timed', config=config, address=str(tmp_path / 'mine.pth'), ms=90., machine='V100',
                     images=4000, sha256='0123abcd'),
            make_row(name='augmented', config=config, address=URL, file='b.pth', test='flip', options=('a=1', )),
            make_row(name='bro\nken\x1b[2J', config='no.py', note='a remark')]
    text = requirements_text(plan_rows(rows, {'': 'elsewhere'}, None, one_line)[1:], [])
    assert '  data     elsewhere/images is missing' in text
    assert 'hours' not in text
    text = requirements_text(plan_rows(rows, {}, None, one_line), [])
    assert '  hours    0.10, from 90 ms per image (V100)' in text
    assert f'  weights  mine.pth (sha256 0123abcd...), in {tmp_path / "mine.pth"}' in text
    assert f'  config   {config}, with --tta a=1' in text
    assert '\nbro\\nken\\x1b[2J\n' in text
    assert '  error    config must be the name of a shipped config' in text
    assert '3 rows, 1 with an error. 2 checkpoints: 1 present, 1 to download, 0 missing' in text
    assert '2 data files and folders, 0 missing' in text
    assert '0.10 hours for the 1 rows with a published time per image, unknown for the other 2' in text
