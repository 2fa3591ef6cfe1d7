"""The archive has the names that the server wants, and what was given to it."""

from __future__ import annotations

import zipfile

import pytest

from hrnet_plugin.submission.archive import archive_name, write_archive


def test_names_and_layout(tmp_path):
    results = tmp_path / 'results.bbox.json'
    results.write_bytes(b'[{"a": 1}]' * 1000)
    target = write_archive(results, tmp_path / 'new', 'test-dev2017', 'HRNetV2p-W32')
    assert target == tmp_path / 'new' / 'detections_test-dev2017_HRNetV2p-W32_results.zip'
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist() == ['detections_test-dev2017_HRNetV2p-W32_results.json']
        assert archive.read(archive.namelist()[0]) == results.read_bytes()
        assert archive.infolist()[0].compress_type == zipfile.ZIP_DEFLATED
    assert [file.name for file in target.parent.iterdir()] == [target.name]


def test_nothing_is_overwritten(tmp_path):
    results = tmp_path / 'results.json'
    results.write_text('[]')
    target = write_archive(results, tmp_path, 'val2017', 'a')
    before = target.read_bytes()
    results.write_text('[1]')
    with pytest.raises(FileExistsError, match="name must be new, got 'a'"):
        write_archive(results, tmp_path, 'val2017', 'a')
    assert target.read_bytes() == before


def test_half_an_archive_does_not_stay(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_archive(tmp_path / 'nothing.json', tmp_path, 'val2017', 'a')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(('split', 'name', 'words'), [
    ('test2017', 'a', 'split must be one of test-dev2017, test-challenge2017, val2017'),
    ('val2017', 'my net', "letters, digits, dots and hyphens, got 'my net'"),
    ('val2017', 'a_b', "got 'a_b'"), ('val2017', '../a', 'got'), ('val2017', '', "got ''")])
def test_names_that_are_refused(split, name, words):
    with pytest.raises(ValueError, match=words):
        archive_name(split, name)
