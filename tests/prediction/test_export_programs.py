"""The programs of the how-to guides run exported models, with the packages that the guides name."""

import re
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
from exported_files import BoxesOfChannels, BrightestPixels, ColorSegmentor, write_exported
from paths import ROOT

from hrnet_plugin.prediction.exported_predictor import ExportedPredictor
from hrnet_plugin.prediction.metadata import ExportMetadata, Resizing
from hrnet_plugin.prediction.sources import InputImage
from hrnet_plugin.results.dataset_meta import DatasetMeta

COMMON = dict(model='', config='', channels=3, channel_order='RGB', meta=DatasetMeta(classes=('r', 'g', 'b')))
RESIZING = Resizing(mode='keep_ratio', size=(80, 60))
DETECTION = ExportMetadata(task='detection', outputs=('boxes', 'scores', 'labels', 'counts', 'masks'),
                           mask_threshold=0.5, resizing=RESIZING, **COMMON)
SEGMENTATION = ExportMetadata(task='segmentation', outputs=('labels', 'logits'), resizing=RESIZING, **COMMON)
POSE = ExportMetadata(task='pose', outputs=('keypoints', 'scores'), resizing=Resizing(mode='person', size=(48, 64)),
                      **COMMON | dict(meta=DatasetMeta(keypoints=('r', 'g', 'b'))))
# format -> guide, and the packages of third parties that its program may import. None for all but OpenMMLab's and ours,
# since torch looks for many optional packages.
GUIDES = dict(onnx=('export_onnxruntime', ('onnxruntime', 'flatbuffers', 'google', 'packaging', 'coloredlogs')),
              openvino=('export_openvino', ('openvino', 'openvino_telemetry', 'packaging')),
              pt2=('export_torch', None))
FORMATS = ('onnx', 'openvino', pytest.param('pt2', marks=pytest.mark.slow))  # torch is imported in ten seconds
BLOCKER = '''
import runpy, sys
allowed = ALLOWED and {*sys.stdlib_module_names, *sys.builtin_module_names, 'numpy', 'PIL', *ALLOWED}
blocked = ('cv2', 'hrnet_plugin', 'mmcv', 'mmengine', 'mmdet', 'mmpose', 'mmseg')
class Blocker:
    def find_spec(self, name, path=None, target=None):
        root = name.partition('.')[0]
        if root in blocked or allowed and root not in allowed:
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)
sys.meta_path.insert(0, Blocker())
sys.argv = ARGUMENTS
runpy.run_path(sys.argv[0], run_name='__main__')
'''


def _run(folder, kind, *arguments):
    """Run the program of a guide where only its packages can be imported, and return the printed lines."""
    guide, packages = GUIDES[kind]
    text = (ROOT / f'docs/how-to/{guide}.md').read_text(encoding='utf-8')
    program = folder / 'predict.py'
    program.write_text(re.search(r'```python\n(""".*?)^```$', text, re.S | re.M)[1], encoding='utf-8')
    script = BLOCKER.replace('ALLOWED', repr(packages)).replace('ARGUMENTS', repr([str(program), *map(str, arguments)]))
    run = subprocess.run([sys.executable, '-c', script], cwd=folder, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
    return [line.split() for line in run.stdout.splitlines()]


def _scene(folder):
    image = np.full((120, 160, 3), 20, np.uint8)
    for index in range(3):
        image[20 + 10 * index:60 + 10 * index, 10 + 40 * index:40 + 40 * index, 2 - index] = 255
    cv2.imwrite(str(folder / 'image.png'), image)
    return folder / 'image.png', InputImage(name=str(folder / 'image.png'))


@pytest.mark.parametrize('kind', FORMATS)
@pytest.mark.parametrize('mode', ['keep_ratio', 'fixed', 'none'])
def test_detections(tmp_path, kind, mode):
    if mode != 'keep_ratio' and kind != 'onnx':
        pytest.skip('the programs share these lines')
    metadata = replace(DETECTION, resizing=Resizing(mode=mode, size=None if mode == 'none' else (80, 60)))
    path, (image, source) = write_exported(tmp_path, metadata, BoxesOfChannels(), kind=kind), _scene(tmp_path)
    expected, = ExportedPredictor(path).predict_batch([source])
    found = _run(tmp_path, kind, path, image)
    assert [line[0] for line in found] == ['r', 'g', 'b']
    np.testing.assert_allclose(np.array([line[2:] for line in found], float), expected.boxes, atol=0.06)
    np.testing.assert_allclose([float(line[1]) for line in found], expected.scores, atol=1e-3)


@pytest.mark.parametrize('kind', FORMATS)
@pytest.mark.parametrize('use_udp', [False, True])
def test_keypoints(tmp_path, kind, use_udp):
    metadata = replace(POSE, resizing=replace(POSE.resizing, use_udp=use_udp))
    path, (image, source) = write_exported(tmp_path, metadata, BrightestPixels(), kind=kind), _scene(tmp_path)
    box = np.array([5, 10, 150, 110], np.float32)
    expected, = ExportedPredictor(path).predict_batch([replace(source, boxes=box[None])])
    found = _run(tmp_path, kind, path, image, *box)
    assert [line[0] for line in found] == ['r', 'g', 'b']
    # the brightest pixel of a plateau may be the next one
    np.testing.assert_allclose(np.array([line[2:] for line in found], float), expected.keypoints[0], atol=5)


def test_label_maps(tmp_path):
    path, (image, source) = write_exported(tmp_path, SEGMENTATION, ColorSegmentor()), _scene(tmp_path)
    expected, = ExportedPredictor(path).predict_batch([source])
    assert _run(tmp_path, 'onnx', path, image) == []
    labels = cv2.imread(str(tmp_path / 'labels.png'), cv2.IMREAD_UNCHANGED)
    assert (labels == expected.label_map).mean() > 0.9  # the logits of this model are coarser than its labels
    assert len(np.unique(labels)) == 3


def test_other_packages_are_blocked(tmp_path):
    (tmp_path / 'predict.py').write_text('import cv2')
    script = BLOCKER.replace('ALLOWED', 'None').replace('ARGUMENTS', repr([str(tmp_path / 'predict.py')]))
    run = subprocess.run([sys.executable, '-c', script], capture_output=True, text=True, timeout=300)
    assert "No module named 'cv2'" in run.stderr


def test_programs_are_short():
    for guide, _ in GUIDES.values():
        text = (ROOT / f'docs/how-to/{guide}.md').read_text(encoding='utf-8')
        assert re.search(r'```python\n(""".*?)^```$', text, re.S | re.M)[1].count('\n') <= 42
