"""The subcommand derive: output, files, refusals."""

from __future__ import annotations

import pytest
from mmengine.config import Config

from hrnet_plugin.cli import derive as command
from hrnet_plugin.cli.main import run

pytest.importorskip('mmdet')

HRNET = 'mmdet::faster-rcnn_hrnetv2p-w18-1x_coco'
NAME = 'faster-rcnn_hrnetv2p-w18-1x_coco.py'


def test_the_output_is_a_config(capsys, tmp_path):
    assert run(['derive', HRNET]) == 0
    out = capsys.readouterr().out
    (tmp_path / 'mine.py').write_text(out)
    assert Config.fromfile(str(tmp_path / 'mine.py')).model.backbone.type == 'hrnet_plugin.HRNet'
    assert '--cfg-options model.backbone.type=hrnet_plugin.HRNet model.neck.type=hrnet_plugin.HRFPN' in out


def test_a_file_is_written_once(capsys, tmp_path):
    folder = tmp_path / 'mine'
    assert run(['derive', HRNET, '--out', str(folder)]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == str(folder / NAME)
    assert 'base: mmdet::hrnet/' in out
    (folder / NAME).write_text('# mine')
    assert run(['derive', HRNET, '--out', str(folder)]) == 2
    assert f'--out must be a folder without {NAME}' in capsys.readouterr().err
    assert (folder / NAME).read_text() == '# mine'


@pytest.mark.parametrize('words', [
    ['mmdet::ssd300_coco'], ['mmdet::ssd3000_coco'], [HRNET, '--arch', 'w48'], ['mmdet::reid_r50_8xb32-6e_mot17']])
def test_nothing_is_written_after_an_error(words, capsys, tmp_path):
    assert run(['derive', *words, '--out', str(tmp_path / 'mine')]) == 2
    captured = capsys.readouterr()
    assert captured.out == ''
    assert len([line for line in captured.err.splitlines() if line.startswith('hrnet derive: error: ')]) == 1
    assert not (tmp_path / 'mine').exists()


def test_names_of_networks_with_hyphens_are_accepted():
    assert command.parse_args([HRNET, '--arch', 'w18-small-v1']).arch == 'w18_small_v1'
