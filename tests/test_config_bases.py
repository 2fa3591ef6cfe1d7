"""Cache of the metafiles of hosts: each is read once, a changed one again, and configs stay the same."""

from __future__ import annotations

import os
from unittest.mock import patch

import mmengine.config.config
import mmengine.config.utils
import pytest
from mmengine.config import Config
from mmengine.fileio import load

from hrnet_plugin import cfg, config_bases
from hrnet_plugin.config_bases import cached_bases
from hrnet_plugin.config_files import read_config


def test_a_metafile_is_read_again_only_if_it_changes(tmp_path):
    file = tmp_path / 'metafile.yml'
    file.write_text('Models: [a]')
    with cached_bases():
        first = mmengine.config.utils.load(str(file))
        assert mmengine.config.utils.load(str(file)) is first
        file.write_text('Models: [b]')
        os.utime(file, (1, 1))
        assert mmengine.config.utils.load(str(file)) == {'Models': ['b']}


def test_a_host_that_is_installed_later_is_found(monkeypatch):
    answers = iter([False, True])  # the third call would fail
    monkeypatch.setattr(config_bases, 'is_installed', lambda package: next(answers))
    with cached_bases():
        assert [mmengine.config.config.is_installed('mmnothing') for _ in range(3)] == [False, True, True]


def test_mmengine_has_its_functions_afterwards():
    before = mmengine.config.utils.load, mmengine.config.config.is_installed
    with pytest.raises(KeyError), cached_bases():
        raise KeyError
    assert (mmengine.config.utils.load, mmengine.config.config.is_installed) == before


def test_configs_are_those_of_mmengine():
    pytest.importorskip('mmdet')
    path = cfg('faster-rcnn_hrnetv2p-w18_1x_coco')
    with patch.object(mmengine.config.utils, 'load', load):
        expected = Config.fromfile(path).pretty_text
    assert [read_config(path).pretty_text for _ in range(2)] == [expected] * 2


def test_reading_a_config_uses_the_cache(monkeypatch):
    pytest.importorskip('mmdet')
    path = cfg('faster-rcnn_hrnetv2p-w18_1x_coco')
    read_config(path)
    monkeypatch.setattr(config_bases, 'load', None)  # not called
    with patch.object(mmengine.config.utils, 'load', load):
        read_config(path)
