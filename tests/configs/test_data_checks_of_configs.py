"""Data checks of all shipped configs: only missing data is refused."""

from __future__ import annotations

import re

import pytest
from catalogue import CONFIG_FILES
from conftest import build_on_meta
from mmengine.config import Config

from hrnet_plugin.data_checks.check import check_datasets
from hrnet_plugin.hosts import find_host

pytestmark = pytest.mark.slow

# one config of each kind: widths and schedules do not change data and heads
KINDS = {re.sub(r'-w\d+|-v\d|_\d+\w|-\d+\w', '', name): name for name in CONFIG_FILES}
# messages about files that are not there; mmseg's PascalContextDataset raises an empty AssertionError
MISSING = ('must exist, got', 'must be an existing', 'must be a valid PascalContextDataset')


@pytest.mark.parametrize('name', KINDS.values())
def test_nothing_but_missing_data_is_refused(name):
    config = Config.fromfile(str(CONFIG_FILES[name]))
    if find_host(config.get('default_scope')) is None or 'train_dataloader' not in config:
        pytest.skip('no dataset')
    pytest.importorskip(config.default_scope)
    errors = check_datasets(config, build_on_meta(config), ('train', 'val', 'test'), scan=False).errors
    assert [error for error in errors if not any(words in error for words in MISSING)] == []
