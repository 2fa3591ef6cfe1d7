"""``hrnet predict``: outputs, names, videos, and bad input in one line that leaves nothing behind."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image
from prediction_models import DETECTOR, POSE, SEGMENTOR, ModelFiles, write_model

import hrnet_plugin
from hrnet_plugin.cli import predict
from hrnet_plugin.cli.main import run

pytest.importorskip('mmseg')


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    return ModelFiles(tmp_path_factory.mktemp('models'))


@pytest.fixture(scope='module')
def segmentor(files):
    return hrnet_plugin.load(*files(SEGMENTOR), device='cpu')


@pytest.fixture
def images(tmp_path, sample_root):
    """Folder with two images of equal names in subfolders, and one without."""
    first, second = sorted((sample_root / 'val2017').glob('*[0-9].png'))[:2]
    for source, name in ((first, 'a/x.png'), (second, 'b/x.png'), (first, 'y.png')):
        (tmp_path / 'images' / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, tmp_path / 'images' / name)
    return tmp_path / 'images'


def command(model, source, *options, checkpoint=True):
    config, weights = model
    return ['predict', config, str(source), *(('--checkpoint', weights) if checkpoint else ()), '--device', 'cpu',
            *map(str, options)]


def write_video(path, frames, rate=10):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), rate, frames[0].shape[1::-1])
    for frame in frames:
        writer.write(frame)
    writer.release()


def test_equal_names_in_several_folders(files, images, segmentor, tmp_path, capsys):
    out = tmp_path / 'out'
    assert run(command(files(SEGMENTOR), f'{images}/**/*.png', '--out', out, '--batch-size', 2)) == 0
    assert sorted(str(path.relative_to(out)) for path in out.rglob('*.*')) == [
        'a/x.png', 'b/x.png', 'predictions.json', 'y.png']
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith(f'1/3 {images}/a/x.png: ')
    assert '%' in lines[0]
    content = json.loads((out / 'predictions.json').read_text())
    assert content['classes'][0] == 'person'
    assert [each['name'] for each in content['predictions']] == [str(images / name)
                                                                for name in ('a/x.png', 'b/x.png', 'y.png')]
    for name in ('a/x.png', 'b/x.png'):
        expected = segmentor(images / name)
        np.testing.assert_array_equal(np.asarray(Image.open(out / name)), expected.plot())
    assert content['predictions'][1] == json.loads(segmentor(images / 'b/x.png').to_json())


def test_json_lines_are_all_of_the_output(files, images, capsys):
    assert run(command(files(SEGMENTOR), images, '--json')) == 0
    line, = capsys.readouterr().out.splitlines()
    assert json.loads(line)['name'] == str(images / 'y.png')


def test_scores_below_the_threshold_are_left_out(files, images, capsys):
    pytest.importorskip('mmdet')
    found = {}
    for threshold in (0, 1):
        assert run(command(files(DETECTOR), images, '--json', '--score-threshold', threshold)) == 0
        found[threshold] = json.loads(capsys.readouterr().out)['objects']
    assert len(found[0]) == 30
    assert found[1] == []


def test_poses_in_boxes_of_a_file_and_of_a_detector(files, images, tmp_path, capsys):
    pytest.importorskip('mmpose')
    boxes = tmp_path / 'boxes.json'
    boxes.write_text(json.dumps({'y.png': [[10, 10, 90, 100], [30, 20, 80, 120]]}))
    words = command(files(POSE), images / 'y.png')
    assert run([*words, '--boxes', str(boxes)]) == 0
    assert capsys.readouterr().out.splitlines() == [f'1/1 {images}/y.png: 2 poses']
    assert run(words) == 0
    assert capsys.readouterr().out.splitlines() == [f'1/1 {images}/y.png: 1 pose']
    config, checkpoint = files(DETECTOR)
    assert run([*words, '--detector', config, '--detector-checkpoint', checkpoint]) == 0
    assert ' poses' in capsys.readouterr().out or ' pose' in capsys.readouterr().out
    for content, message in (({}, "got none for 'y.png'"), ({'y.png': [[1, 2, 3]]}, "image 'y.png': boxes must have"),
                             ({'y.png': 'a'}, "image 'y.png'"), ([], 'must be a JSON object')):
        boxes.write_text(json.dumps(content))
        assert run([*words, '--boxes', str(boxes), '--out', str(tmp_path / 'out')]) == 2
        error, = capsys.readouterr().err.splitlines()
        assert message in error
        assert not (tmp_path / 'out').exists()


def test_a_video_becomes_a_video(files, images, segmentor, tmp_path, capsys):
    frames = [cv2.imread(str(images / 'y.png')), cv2.imread(str(images / 'b/x.png'))] * 3
    write_video(tmp_path / 'clip.avi', frames)
    out = tmp_path / 'out'
    assert run(command(files(SEGMENTOR), tmp_path / 'clip.avi', '--out', out, '--batch-size', 4)) == 0
    assert sorted(path.name for path in out.iterdir()) == ['clip.mp4', 'predictions.json']
    written = cv2.VideoCapture(str(out / 'clip.mp4'))
    assert written.get(cv2.CAP_PROP_FRAME_COUNT) == 6
    assert written.get(cv2.CAP_PROP_FPS) == pytest.approx(10)
    found = json.loads((out / 'predictions.json').read_text())['predictions']
    assert [each['name'] for each in found] == [f'{tmp_path}/clip.avi#{index:06d}' for index in range(6)]
    assert capsys.readouterr().out.startswith(f'1/6 {tmp_path}/clip.avi#000000: ')


def test_without_a_video_writer_frames_are_images(files, images, tmp_path, monkeypatch):
    write_video(tmp_path / 'clip.avi', [cv2.imread(str(images / 'y.png'))] * 2)

    def refuse(*unused):
        raise OSError('no video')

    monkeypatch.setattr('hrnet_plugin.prediction.output_folder.VideoWriter', refuse)
    assert run(command(files(SEGMENTOR), tmp_path / 'clip.avi', '--out', tmp_path / 'out')) == 0
    assert sorted(path.name for path in (tmp_path / 'out').iterdir()) == [
        'clip.avi#000000.jpg', 'clip.avi#000001.jpg', 'predictions.json']


def make_corrupt(folder):
    photo = folder / 'images' / 'z.jpg'
    cv2.imwrite(str(photo), np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8))
    photo.write_bytes(photo.read_bytes()[:5000])
    return photo.parent


def make_empty(folder):
    (folder / 'empty').mkdir()
    return folder / 'empty'


def make_broken_video(folder):
    (folder / 'clip.mp4').write_bytes(bytes(1000))
    return folder / 'clip.mp4'


@pytest.mark.parametrize(('make', 'message'), [
    (make_corrupt, 'z.jpg must be a complete image'), (make_empty, 'must be a folder with images'),
    (make_broken_video, 'must be a video that OpenCV can read'),
    (lambda folder: folder / 'gone.png', 'does not exist')])
def test_bad_sources(files, images, tmp_path, capfd, make, message):
    source = make(tmp_path)
    assert run(command(files(SEGMENTOR), source, '--out', tmp_path / 'out')) == 2
    # FFmpeg reads its log level once per process, which an earlier test may have caused
    error, = (line for line in capfd.readouterr().err.splitlines() if not line.startswith('[mov'))
    assert message in error
    assert not (tmp_path / 'out').exists()
    assert not list(tmp_path.rglob('*.part'))


def test_bad_models(files, images, tmp_path, capsys):
    config, checkpoint = files(SEGMENTOR)
    gray = tmp_path / 'gray.py'
    gray.write_text(f"_base_ = [{config!r}]\nmodel = dict(backbone=dict(in_channels=1), data_preprocessor=dict("
                    'mean=[0.], std=[1.], bgr_to_rgb=False))\n')
    gray_checkpoint = write_model(tmp_path, SEGMENTOR, gray.read_text().split('\n', 1)[1])[1]
    for words, message in (
            (command((config, ''), images, checkpoint=False), 'checkpoint must be given with a config'),
            (command((config, 'missing.pth'), images), 'missing.pth'),
            (command((config, files(POSE)[1]), images), 'It belongs to another model than the config'),
            (command(('missing', checkpoint), images), 'must be the name of a shipped config'),
            (command((str(gray), gray_checkpoint), images), 'must have 1 channels, as the model, got 3'),
            (command((config, checkpoint), images, '--batch-size', 0), '--batch-size must be at least 1'),
            (command((config, checkpoint), images, '--score-threshold', 2), '--score-threshold must be between'),
            (command((config, checkpoint), images, '--detector-checkpoint', 'x'), 'requires --detector')):
        try:
            code = run([*words, '--out', str(tmp_path / 'out')])
        except SystemExit as error:  # of the parser
            code = error.code
        error, = capsys.readouterr().err.splitlines()
        assert code == 2
        assert message in error
        assert not (tmp_path / 'out').exists()
        assert not list(tmp_path.rglob('*.part'))


def test_output_folders_that_cannot_be_written(files, images, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(predict, 'load', None)  # before the model is loaded
    (tmp_path / 'file').touch()
    full = tmp_path / 'full'
    full.mkdir()
    (full / 'notes').touch()
    for out, message in ((tmp_path / 'file' / 'out', 'Not a directory'), (full, 'must be missing or empty'),
                         ('/proc/predictions', 'No such file')):
        assert run(command(files(SEGMENTOR), images, '--out', out)) == 2
        error, = capsys.readouterr().err.splitlines()
        assert message in error
    assert [path.name for path in full.iterdir()] == ['notes']


def test_an_interrupted_run_leaves_nothing(files, images, tmp_path, capsys, monkeypatch):
    def interrupt(*unused):
        raise KeyboardInterrupt

    monkeypatch.setattr(predict, 'summarize', interrupt)
    assert run(command(files(SEGMENTOR), images, '--out', tmp_path / 'out')) == 130
    assert capsys.readouterr().err.splitlines() == ['hrnet predict: error: interrupted']
    assert not (tmp_path / 'out').exists()
    assert not list(tmp_path.rglob('*.part'))


MEMORY = '''
import resource, sys
from hrnet_plugin.cli import predict
peaks, summarize = [], predict.summarize

def recorded(found):
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return summarize(found)

predict.summarize = recorded
predict.main(sys.argv[1:])
print('peaks', peaks[59], peaks[-1], len(peaks), file=sys.stderr)
'''


@pytest.mark.slow
def test_300_frames_take_no_more_memory_than_60(files, segmentor, sample_root, tmp_path):
    frames = [cv2.imread(str(path)) for path in sorted((sample_root / 'val2017').glob('*[0-9].png'))]
    moving = [np.roll(frames[index % len(frames)], index, axis=1) for index in range(300)]
    write_video(tmp_path / 'clip.avi', moving)
    words = command(files(SEGMENTOR), tmp_path / 'clip.avi', '--out', tmp_path / 'out', '--batch-size', 4)[1:]
    done = subprocess.run([sys.executable, '-c', MEMORY, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    early, late, count = map(int, done.stderr.splitlines()[-1].split()[1:])
    assert count == 300
    assert late - early < 16 * 1024  # KiB
    found = json.loads((tmp_path / 'out' / 'predictions.json').read_text())['predictions']
    assert [each['name'] for each in found] == [f'{tmp_path}/clip.avi#{index:06d}' for index in range(300)]
    capture = cv2.VideoCapture(str(tmp_path / 'clip.avi'))
    for index in range(300):
        frame = capture.read()[1]
        if index % 10 == 0:
            alone = json.loads(segmentor(frame).to_json())
            pixels = {each['class']: each['pixels'] for each in alone['segments']}
            together = {each['class']: each['pixels'] for each in found[index]['segments']}
            assert all(abs(pixels.get(name, 0) - together.get(name, 0)) <= 2 for name in {*pixels, *together})
