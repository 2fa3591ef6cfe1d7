"""Images and objects of datasets that have read their annotations."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from mmcv.transforms import Compose, LoadImageFromFile, RandomApply
from torch.utils.data import ConcatDataset

from hrnet_plugin.data_checks.loaded import check_any_object, sample_items, scan_items


class Data:
    """Dataset with the data infos of images a.png, b.png, ..."""

    def __init__(self, folder, number, ann_file='data.json', pipeline=(LoadImageFromFile(), ), **info):
        self.pipeline = Compose(list(pipeline))
        self.data_prefix, self.ann_file = dict(img=str(folder)), f'{folder}/{ann_file}'
        self.infos = [dict(info, img_path=f'{folder}/{chr(97 + k)}.png') for k in range(number)]

    def __len__(self):
        return len(self.infos)

    def get_data_info(self, index):
        return self.infos[index]


@pytest.fixture
def data(tmp_path):
    for k in range(5):
        cv2.imwrite(f'{tmp_path}/{chr(97 + k)}.png', np.zeros((6, 8, 3), np.uint8))
    return Data(tmp_path, 5)


def scan(dataset, sizes):
    return scan_items(sample_items(dataset, 100), len(dataset), sizes)


def test_evenly_spaced_items_of_all_datasets(data, tmp_path):
    both = SimpleNamespace(datasets=[SimpleNamespace(dataset=data), Data(tmp_path, 3)])
    assert [item.name for item in sample_items(both, 100)] == ['a.png', 'b.png', 'c.png', 'd.png', 'e.png', 'a.png',
                                                                'b.png', 'c.png']
    assert [item.name for item in sample_items(both, 3)] == ['a.png', 'd.png', 'c.png']
    assert sample_items(both, 0) == []


def test_sizes_of_annotations_are_compared(data):
    file = Path(data.ann_file)
    report = scan(data, {file: {f'{name}.png': (6, 8) for name in 'abcde'}})
    assert (report.sampled, report.total, report.findings) == (5, 5, ())
    finding, = scan(data, {file: {'c.png': (12, 16)}}).findings
    assert 'have another size than the annotated one' in finding.message
    assert 'c.png' in finding.message


def test_images_with_the_same_name_have_the_size_of_their_own_file(data, tmp_path):
    other = {tmp_path / 'other.json': {'a.png': (12, 16)}}
    assert scan(data, other).findings == ()


def test_data_infos_have_sizes_too(data):
    for info in data.infos:
        info.update(height=6, width=9)
    finding, = scan(data, {}).findings
    assert '5 of 5 sampled images have another size' in finding.message


@pytest.mark.parametrize('pipeline', [[], [LoadImageFromFile(imdecode_backend='tifffile')],
                                      [LoadImageFromFile(backend_args=dict(backend='petrel'))]])
def test_other_sources_of_images_are_not_read(data, tmp_path, pipeline):
    other = Data(tmp_path, 5, pipeline=pipeline)
    assert scan(other, {}) is None
    both = ConcatDataset([other, data])
    assert scan(both, {}).sampled == 5  # of one of them


def test_wrappers_load_images_of_datasets_without_loader(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'')
    wrapper = SimpleNamespace(dataset=Data(tmp_path, 1, pipeline=[]),
                              pipeline=[RandomApply([LoadImageFromFile(color_type='unchanged')])])
    item, = sample_items(wrapper, 1)
    assert item.loader.color_type == 'unchanged'
    wrapper.dataset = Data(tmp_path, 1)
    item, = sample_items(wrapper, 1)
    assert item.loader.color_type == 'color'


@pytest.mark.parametrize(('color_type', 'is_error'), [('color', True), ('color_ignore_orientation', False)])
def test_orientation_depends_on_the_loader(tmp_path, color_type, is_error):
    image = pytest.importorskip('PIL.Image').new('RGB', (8, 6))
    exif = image.getexif()
    exif[274] = 6  # rotate
    image.save(tmp_path / 'a.png', exif=exif)
    sizes = {tmp_path / 'data.json': {'a.png': (6, 8)}}
    dataset = Data(tmp_path, 1, pipeline=[LoadImageFromFile(color_type=color_type)])
    finding, = scan(dataset, sizes).findings
    assert finding.is_error == is_error


@pytest.mark.parametrize(('info', 'is_found'), [(dict(instances=[]), True), (dict(instances=[dict()]), False),
                                               (dict(), False)])
def test_datasets_without_objects_are_warned_about(tmp_path, info, is_found):
    findings = list(check_any_object('train_dataloader.dataset', sample_items(Data(tmp_path, 4, **info), 100)))
    assert len(findings) == is_found
    assert all('got none in 4 sampled images' in finding.message and not finding.is_error for finding in findings)
