"""What the tests of the shipped configs share."""

from __future__ import annotations

import ast
import re
from functools import cache

import yaml
from mmengine.config import Config

from hrnet_plugin.arch import arch_channels
from hrnet_plugin.config_files import CONFIGS, list_configs

CONFIG_FILES = list_configs()
SAMPLE = [name for name in CONFIG_FILES if name.endswith('_sample')]
PUBLISHED = [name for name in CONFIG_FILES if name not in SAMPLE]
# Of the paper's section 7: variants of another config in the same folder, from which they inherit.
_VARIANTS = ('final-fusion', 'across-stage-fusion', 'bilinear-down', 'product', 'equal-depth', 'single-stream')
ABLATIONS = {
    **{f'td-hm_hrnetv1-w32-{variant}_scratch-210e_coco-256x192': 'td-hm_hrnetv1-w32_scratch-210e_coco-256x192'
       for variant in _VARIANTS},
    **{f'td-hm_hrnetv1-w32-{times}x_210e_coco-256x192': 'td-hm_hrnetv1-w32_210e_coco-256x192' for times in (2, 4, 8)},
    'fcn_hrnetv2-w48_scratch-120k_cityscapes': 'fcn_hrnetv2-w48_120k_cityscapes',
    **{f'fcn_hrnetv2-w48-{variant}_scratch-120k_cityscapes': 'fcn_hrnetv2-w48_scratch-120k_cityscapes'
       for variant in _VARIANTS},
    **{f'fcn_hrnetv{v}-w48_120k_cityscapes': 'fcn_hrnetv2-w48_120k_cityscapes' for v in ('1', '1h')},
    **{f'faster-rcnn_hrnetv{v}-w32_1x_coco': 'faster-rcnn_hrnetv2p-w32_1x_coco' for v in ('1', '1h', '2')},
}
# folder -> host; all others are mmdet's
HOSTS = {'td_hm': 'mmpose', 'fcn': 'mmseg', 'ocr': 'mmseg'}


def host(name):
    return HOSTS.get(CONFIG_FILES[name].parent.name, 'mmdet')


def of_host(*hosts, names=CONFIG_FILES):
    return [name for name in names if host(name) in hosts]


@cache
def load(name):
    return Config.fromfile(str(CONFIG_FILES[name]))


def shallow(arch):
    """Return a description of a network with the feature maps of a named one, but one block per branch.

    It is built in a third of the time, for tests of what depends on feature maps alone.
    """
    channels = arch_channels(arch)
    return dict(
        stage1=dict(num_modules=1, num_branches=1, block='BOTTLENECK', num_blocks=(1, ), num_channels=(64, )),
        **{f'stage{n}': dict(num_modules=1, num_branches=n, block='BASIC', num_blocks=(1, ) * n,
                             num_channels=channels[:n]) for n in (2, 3, 4)})


@cache
def index():
    """Name -> entry of all metafiles that the index imports."""
    top = yaml.safe_load((CONFIGS.parent / 'model-index.yml').read_text())
    entries = {}
    for file in top['Import']:
        metafile = yaml.safe_load((CONFIGS.parent / file).read_text())
        collections = {collection['Name'] for collection in metafile['Collections']}
        for model in metafile['Models']:
            assert model['In Collection'] in collections
            assert model['Name'] not in entries
            entries[model['Name']] = model
    return entries


def docstring(name):
    return ast.get_docstring(ast.parse(CONFIG_FILES[name].read_text()))


def readme_row(name):
    """The one line that a family's README has for a config."""
    text = (CONFIG_FILES[name].parent / 'README.md').read_text()
    row, = re.findall(rf'^(?:\| {re.escape(name)} \|.*|- {re.escape(name)})$', text, re.M)
    return row
