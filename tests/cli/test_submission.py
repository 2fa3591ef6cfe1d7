"""The subcommand ``submission``, with COCO's example and with invalid input."""

from __future__ import annotations

import json
import zipfile

import pytest
from mmengine.config import Config
from paths import SHARED

from hrnet_plugin.cli import submission

pytest.importorskip('ijson')
FIXTURES = SHARED / 'data' / 'coco_eval_fixtures'


@pytest.mark.skipif(not FIXTURES.is_dir(), reason='COCO\'s example is missing')
@pytest.mark.parametrize(('kind', 'figure'), [
    ('bbox', 'AP 0.505, AP50 0.697'), ('segm', 'mask AP 0.320, mask AP50 0.562')])
def test_packing_and_checking(kind, figure, tmp_path, capsys):
    pytest.importorskip('pycocotools')
    results, truth = (FIXTURES / name for name in (
        f'instances_val2014_fake{kind}100_results.json', 'instances_val2014_100.json'))
    submission.main(['pack', str(results), '--images', str(truth), '--name', 'example', '--split', 'val2017', '--out',
                     str(tmp_path), '--evaluate', str(truth), '--stand-in'])
    out = capsys.readouterr().out
    assert '734 detections' in out
    assert figure in out
    with zipfile.ZipFile(tmp_path / 'detections_val2017_example_results.zip') as archive:
        inner, = archive.namelist()
        archive.extract(inner, tmp_path)
    submission.main(['check', str(tmp_path / inner), '--images', str(truth), '--evaluate', str(truth)])
    assert figure in capsys.readouterr().out


@pytest.fixture
def images(tmp_path):
    path = tmp_path / 'info.json'
    path.write_text(json.dumps(dict(images=[dict(id=5, height=30, width=40)], categories=[dict(id=1, name='person')])))
    return path


def test_a_broken_file_makes_no_archive(tmp_path, images, capsys):
    results = tmp_path / 'results.json'
    results.write_text(json.dumps([dict(image_id=6, category_id=1, bbox=[1, 1, 2, 2], score=1)]))
    with pytest.raises(ValueError, match=r'results\.json must have no errors, got those listed above'):
        submission.main(['pack', str(results), '--images', str(images), '--name', 'a', '--out', str(tmp_path),
                         '--stand-in'])
    assert 'error: detection 0: image_id must be one of the 1 in the split, got 6' in capsys.readouterr().out
    assert not list(tmp_path.glob('*.zip'))


def test_invalid_options_are_reported_before_a_long_check(tmp_path, images):
    results = tmp_path / 'results.json'
    results.write_text('[{"bbox": []}, ')  # the check would report it

    def pack(*words):
        submission.main(['pack', str(results), '--images', str(images), '--out', str(tmp_path), *words])

    with pytest.raises(ValueError, match="got 'a b'"):
        pack('--name', 'a b', '--stand-in')
    with pytest.raises(ValueError, match='images must be the 20288 images of test-dev2017, got 1'):
        pack('--name', 'a')
    with pytest.raises(FileNotFoundError, match=r'--evaluate must be a file of annotations, got nothing\.json'):
        pack('--name', 'a', '--evaluate', 'nothing.json')
    with pytest.raises(ValueError, match=r'--out must end in \.py'):
        submission.main(['config', 'faster-rcnn_hrnetv2p-w18_1x_coco', '--out', 'folder'])


def test_a_config_is_written_and_none_is_overwritten(tmp_path, capsys):
    pytest.importorskip('mmdet')
    path = tmp_path / 'new' / 'test-dev.py'
    words = ['config', 'faster-rcnn_hrnetv2p-w18_1x_coco', '--out', str(path), '--data-root', '/coco']
    submission.main(words)
    assert f'mim test mmdet {path}' in capsys.readouterr().out
    config = Config.fromfile(path)
    assert config.test_evaluator.ann_file == '/coco/annotations/image_info_test-dev2017.json'
    assert config.test_dataloader.dataset.data_root == '/coco'
    with pytest.raises(FileExistsError, match='--out must be a new file'):
        submission.main(words)


def test_keypoints_are_evaluated_as_packed(sample_root, tmp_path, capsys):
    """Without the boxes of mmpose, which make the area of all persons small."""
    pytest.importorskip('pycocotools')
    truth = sample_root / 'annotations/person_keypoints_val2017.json'
    persons = [dict(image_id=a['image_id'], category_id=1, keypoints=a['keypoints'], score=0.5, bbox=[0, 0, 1, 1])
               for a in json.loads(truth.read_text())['annotations']]
    results = tmp_path / 'test.keypoints.json'
    results.write_text(json.dumps(persons))
    submission.main(['pack', str(results), '--images', str(truth), '--name', 'a', '--split', 'val2017', '--out',
                     str(tmp_path), '--evaluate', str(truth), '--stand-in'])
    out = capsys.readouterr().out
    assert f'{len(persons)} detections have bbox' in out
    assert 'AP 1.000' in out
    with zipfile.ZipFile(tmp_path / 'person_keypoints_val2017_a_results.zip') as archive:
        assert 'bbox' not in json.loads(archive.read('person_keypoints_val2017_a_results.json'))[0]


def test_the_config_of_a_pose_estimator(tmp_path, capsys):
    pytest.importorskip('mmpose')
    path = tmp_path / 'test-dev.py'
    submission.main(['config', 'td-hm_hrnetv1-w32_210e_coco-256x192', '--out', str(path), '--person-boxes', 'p.json'])
    out = capsys.readouterr().out
    assert 'work_dirs/test-dev.keypoints.json, run: mim test mmpose' in out
    assert Config.fromfile(path).test_dataloader.dataset.bbox_file == 'p.json'
