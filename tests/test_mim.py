"""User workflows with the built wheel and mim, in a separate environment and folder."""

from __future__ import annotations

import functools
import http.server
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import textwrap
import threading
import zipfile
from pathlib import Path

import pytest
from conftest import load_benchmark
from paths import ROOT

from hrnet_plugin.version import __version__

pytestmark = pytest.mark.integration

SAMPLE = 'faster-rcnn_hrnetv2p-w18-small-v1_sample'
# scores are low after so few iterations, and mmdet prints no metrics without detections
QUICK = ['train_dataloader.batch_size=2', 'default_hooks.logger.interval=1', 'model.test_cfg.rcnn.score_thr=0.0']


def measured(out, metric='bbox_mAP'):
    """Return True if an evaluation printed a value of the metric. The config contains its name only."""
    return re.search(rf'coco/{metric}: -?\d', out) is not None


def execute(command, cwd, **env):
    """Run a command without the Python settings of this process. Return its output."""
    left_out = ('PYTHONPATH', 'TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD')
    clean = {key: value for key, value in os.environ.items() if key not in left_out}
    done = subprocess.run([str(word) for word in command], cwd=cwd, env={**clean, **env}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:]
    return done.stdout


@pytest.fixture(scope='session')
def built(tmp_path_factory):
    """Folder with the wheel and the source archive, built from the files under version control."""
    folder = tmp_path_factory.mktemp('built')
    source = folder / 'source'
    names = subprocess.run(['git', 'ls-files', '--cached', '--others', '--exclude-standard', '-z'], cwd=ROOT,
                           capture_output=True, text=True, check=True).stdout.split('\0')
    for name in filter(None, names):
        target = source / name
        if (ROOT / name).exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target, follow_symlinks=False)
    execute([sys.executable, '-m', 'build', '--no-isolation', '--outdir', folder, source], folder)
    return folder


@pytest.fixture(scope='session')
def python(built, tmp_path_factory):
    """Return the Python of an environment with the wheel and the installed dependencies.

    The wheel is the only copy of the plugin there. Whether its requirements resolve is not tested.
    """
    venv = tmp_path_factory.mktemp('environment') / 'venv'
    execute([sys.executable, '-m', 'venv', '--without-pip', venv], built)
    python = venv / 'bin' / 'python'
    packages = Path(execute([python, '-c', "import sysconfig; print(sysconfig.get_path('purelib'))"], built).strip())
    stack = sysconfig.get_path('purelib')
    (packages / 'stack.pth').write_text(f'import site; site.addsitedir({stack!r})\n')
    wheel, = built.glob('*.whl')
    pip = [sys.executable, '-m', 'pip', '--python', python]
    execute([*pip, 'install', '--no-deps', '--ignore-installed', wheel], built)
    where = execute([python, '-c', 'import hrnet_plugin; print(hrnet_plugin.__file__)'], built)
    assert where.startswith(str(packages))
    return python


@pytest.fixture(scope='session')
def mim(python, tmp_path_factory):
    """Run mim in a folder outside of the project."""
    folder = tmp_path_factory.mktemp('outside')

    def run(*words, **env):
        return execute([python, '-W', 'ignore', '-c', 'from mim.cli import cli; cli()', *words], folder, **env)

    run.folder = folder
    return run


@pytest.fixture(scope='session')
def job(mim):
    """Train one epoch on a small sample set."""
    mim('run', 'hrnet_plugin', 'sample_set', 'data/sample', '--train', 6, '--val', 4)
    out = mim('train', 'hrnet_plugin', f'{SAMPLE}.py', '--work-dir', 'work', '--cfg-options', 'train_cfg.max_epochs=1',
              *QUICK)
    return mim.folder / 'work', out


def test_the_archives_contain_files_for_mim(built):
    wheel, = built.glob('*.whl')
    source, = built.glob('*.tar.gz')
    names = zipfile.ZipFile(wheel).namelist()
    for name in ('models/decode_heads/fcn.py', 'training/compatibility/detectors.py', 'execution/graph.py',
                 'checkpoints/families/official.py', 'cli/train.py', '__main__.py', 'py.typed',
                 '.mim/model-index.yml', '.mim/tools/train.py', '.mim/tools/test.py',
                 '.mim/tools/checkpoints/inspect.py', '.mim/configs/ocr/README.md', '.mim/configs/_base_/recipe_lip.py',
                 'evaluation/leaderboard/published/pose.csv', 'evaluation/leaderboard/page/page.html',
                 'evaluation/leaderboard/page/scripts/table.js',
                 '.mim/configs/td_hm/metafile.yml', f'.mim/configs/fcn/{FCN}.py',
                 '.mim/configs/faster_rcnn/metafile.yml', f'.mim/configs/faster_rcnn/{SAMPLE}.py'):
        assert f'hrnet_plugin/{name}' in names
    assert not any(name.startswith(('tests/', 'configs/', 'scripts/')) for name in names)
    assert not any(entry.external_attr >> 28 == 0xA for entry in zipfile.ZipFile(wheel).infolist()), 'a link'
    metadata, = (name for name in names if name.endswith('METADATA'))
    required = re.findall(r'^Requires-Dist: ([\w-]+)[^;\n]*$', zipfile.ZipFile(wheel).read(metadata).decode(), re.M)
    assert sorted(required) == ['safetensors', 'torch']
    with tarfile.open(source) as archive:
        assert any(name.endswith('/LICENSE') for name in archive.getnames())


def test_the_console_command(python, mim):
    hrnet = python.parent / 'hrnet'
    assert execute([hrnet, '--version'], mim.folder).strip() == __version__
    assert SAMPLE in execute([hrnet, 'config', 'faster-rcnn'], mim.folder)


def test_training(job):
    work, out = job
    assert (work / 'epoch_1.pth').is_file()
    assert measured(out)


def test_testing_a_trained_checkpoint(mim, job):
    out = mim('test', 'hrnet_plugin', f'{SAMPLE}.py', '--checkpoint', 'work/epoch_1.pth', '--work-dir', 'work',
              '--show-dir', 'pictures', '--out', 'work/predictions.pkl', '--record', '--note', 'quick', '--cfg-options',
              *QUICK)
    assert measured(out)
    assert 'as record 1 in the leaderboard store work_dirs/leaderboard.sqlite' in out
    assert (job[0] / 'predictions.pkl').is_file()
    assert len(list(job[0].glob('*/pictures/*.png'))) == 4
    report = mim('run', 'hrnet_plugin', 'report', 'work')
    assert 'mmdet 2 and 3' in mim('run', 'hrnet_plugin', 'inspect', 'work/epoch_1.pth')
    assert 'AP50' in report
    assert (job[0] / 'curve.png').is_file()
    assert (job[0] / 'pictures.png').is_file()


ENGINE = 'default_hooks.engine.type=hrnet_plugin.InferenceEngineHook'


def choose(engine):
    """Return the option that selects an engine."""
    return [f'default_hooks.engine.engine={engine}']


def test_engines_give_the_same_detections(mim, job):
    """Test with the tools of the plugin and of mmdet."""
    predictions = []
    for name, package, config, options in (('plain', 'hrnet_plugin', f'{SAMPLE}.py', []),
                                           ('fast', 'hrnet_plugin', f'{SAMPLE}.py', [ENGINE]),
                                           ('openvino', 'hrnet_plugin', f'{SAMPLE}.py', [ENGINE, *choose('openvino')]),
                                           ('mmdets', 'mmdet', _path(mim, SAMPLE), [ENGINE, *choose('onnxruntime')])):
        work = mim.folder / 'forms' / name
        mim('test', package, config, '--checkpoint', 'work/epoch_1.pth', '--work-dir', work, '--out',
            work.with_suffix('.pkl'), '--cfg-options', *QUICK, *options)
        assert ('InferenceEngineHook' in next(work.glob('*/*.log')).read_text()) == bool(options)
        predictions.append(pickle.loads(work.with_suffix('.pkl').read_bytes()))
    plain, *others = predictions
    for fast in others:
        record = load_benchmark('same_detections').compare(plain, fast)
        assert min(record['detections']) > 0
        assert record['share'] >= 0.999


def test_the_leaderboard(mim, job):
    """Record a test of each host and write the page."""
    for package in ('hrnet_plugin', 'mmdet'):
        hook = dict(type='hrnet_plugin.RecordHook', store='board.sqlite', note=package)
        config = mim.folder / f'board_{package}.py'
        config.write_text(f"_base_ = [__import__('hrnet_plugin').cfg('{SAMPLE}')]\ncustom_hooks = [{hook}]\n")
        mim('test', package, config.name, '--checkpoint', 'work/epoch_1.pth', '--work-dir', f'board_{package}',
            '--cfg-options', *QUICK)
    out = mim('run', 'hrnet_plugin', 'leaderboard', '--store', 'board.sqlite', '--source', 'own')
    assert 'board 1' in out
    assert 'board 2' in out
    boxes = next((mim.folder / 'board_mmdet').rglob('*.bbox.json'))
    mim('run', 'hrnet_plugin', 'record', '--store', 'board.sqlite', '--config', SAMPLE, '--results', boxes,
        '--annotations', 'data/sample/annotations/instances_val2017.json')
    mim('run', 'hrnet_plugin', 'record', '--store', 'board.sqlite', '--work-dir', 'board_mmdet', '--data', 'sample',
        '--split', 'val2017', '--images', 4)
    other = next((mim.folder / 'board_hrnet_plugin').rglob('*.bbox.json'))
    out = mim('run', 'hrnet_plugin', 'compare', other, boxes, '--draws', 20, '--out', 'compared', '--annotations',
              'data/sample/annotations/instances_val2017.json')
    assert 'no significant difference' in out  # the same weights
    mim('run', 'hrnet_plugin', 'leaderboard', '--store', 'board.sqlite', '--out', 'board', '--compare',
        'compared/comparison.json')
    assert {file.name for file in (mim.folder / 'board').iterdir()} == {
        'leaderboard.html', 'leaderboard.md', 'leaderboard.csv'}
    lines = [line for line in (mim.folder / 'board' / 'leaderboard.csv').read_text().splitlines() if ',own,' in line]
    assert len(lines) == 4
    assert all(',sample,val2017,' in line for line in lines)


def test_a_submission(mim, job):
    """Write the archive of a detector for substitute images of test-dev."""
    coco, truth = mim.folder / 'coco', mim.folder / 'data/sample/annotations/instances_val2017.json'
    (coco / 'annotations').mkdir(parents=True)
    shutil.copytree(mim.folder / 'data/sample/val2017', coco / 'test2017')
    info = {key: value for key, value in json.loads(truth.read_text()).items() if key in ('images', 'categories')}
    (coco / 'annotations/image_info_test-dev2017.json').write_text(json.dumps(info))
    mim('run', 'hrnet_plugin', 'submission', 'config', SAMPLE, '--out', 'test-dev.py', '--data-root', 'coco',
        '--prefix', 'work/dev')
    out = mim('test', 'mmdet', 'test-dev.py', '--checkpoint', 'work/epoch_1.pth', '--work-dir', 'dev',
              '--cfg-options', *QUICK)
    assert not measured(out)
    out = mim('run', 'hrnet_plugin', 'submission', 'pack', 'work/dev.bbox.json', '--images',
              coco / 'annotations/image_info_test-dev2017.json', '--name', 'mine', '--evaluate', truth, '--stand-in')
    assert 'AP50' in out
    assert (mim.folder / 'detections_test-dev2017_mine_results.zip').is_file()


def test_benchmarking(mim):
    out = mim('run', 'hrnet_plugin', 'benchmark', '--config', SAMPLE, '--config', POSE, '--shape', 64, 64,
              '--rounds', 1)
    assert f'{SAMPLE}, torch engine' in out
    assert f'{POSE}, torch engine' in out


def test_resuming(mim, job):
    shutil.copytree(job[0], mim.folder / 'resumed')
    (mim.folder / 'resumed' / 'last_checkpoint').write_text(str(mim.folder / 'resumed' / 'epoch_1.pth'))
    out = mim('train', 'hrnet_plugin', f'{SAMPLE}.py', '--work-dir', 'resumed', '--resume', '--cfg-options',
              'train_cfg.max_epochs=2', *QUICK)
    assert 'resumed epoch: 1' in out
    assert 'Epoch(train) [2]' in out
    assert 'Epoch(train) [1]' not in out
    assert (mim.folder / 'resumed' / 'epoch_2.pth').is_file()


def test_upstream_tools_with_a_user_config(mim, job):
    """Train and test boxes and masks."""
    (mim.folder / 'mine').mkdir(exist_ok=True)
    (mim.folder / 'mine' / 'masks.py').write_text(
        "_base_ = [__import__('hrnet_plugin').cfg('mask-rcnn_hrnetv2p-w18-small-v1_sample')]\n"
        'train_cfg = dict(max_epochs=1)\n')
    trained = mim('train', 'mmdet', 'mine/masks.py', '--work-dir', 'masks', '--cfg-options', *QUICK)
    tested = mim('test', 'mmdet', 'mine/masks.py', '--checkpoint', 'masks/epoch_1.pth', '--cfg-options', *QUICK)
    for out in (trained, tested):
        assert measured(out)
        assert measured(out, 'segm_mAP')


def test_bfloat16_and_test_time_augmentation(mim, job):
    name = 'fcos_hrnetv2p-w18-small-v1_sample.py'
    quick = [*QUICK[:2], 'model.test_cfg.score_thr=0.0']
    mim('train', 'hrnet_plugin', name, '--work-dir', 'fcos', '--amp', 'bf16', '--cfg-options', 'train_cfg.max_epochs=1',
        *quick)
    for package in ('hrnet_plugin', 'mmdet'):
        out = mim('test', package, name if package == 'hrnet_plugin' else _path(mim, name), '--checkpoint',
                  'fcos/epoch_1.pth', '--tta', '--cfg-options', *quick)
        assert measured(out)


def _path(mim, name):
    (mim.folder / 'mine').mkdir(exist_ok=True)
    (mim.folder / 'mine' / 'tta.py').write_text(f"_base_ = [__import__('hrnet_plugin').cfg('{name}')]\n")
    return 'mine/tta.py'


def test_counting(mim):
    out = mim('run', 'hrnet_plugin', 'count', 'fcos_hrnetv2p-w18_1x_coco', '--paper')
    assert '17.50 M parameters, 180.26 GFLOPs' in out


POSE, FCN = 'td-hm_hrnetv1-w18-small-v1_sample', 'fcn_hrnetv2-w18-small-v1_sample'
SHORT = {
    POSE: ['train_cfg.max_epochs=1', 'train_cfg.val_interval=1', 'train_dataloader.batch_size=2'],
    FCN: ['train_cfg.max_iters=4', 'train_cfg.val_interval=4', 'train_dataloader.batch_size=2',
          'default_hooks.checkpoint.interval=4'],
}


@pytest.fixture(scope='session')
def trained(mim, job):
    """Return a function that trains for pose or segmentation, once, and returns the folder and the output."""
    @functools.cache
    def train(name):
        work = f'{name}-work'
        return work, mim('train', 'hrnet_plugin', f'{name}.py', '--work-dir', work, '--cfg-options', *SHORT[name])

    return train


@pytest.mark.parametrize(('host', 'name', 'metric', 'checkpoint'), [
    ('mmpose', POSE, r'coco/AP: -?\d', 'best_coco_AP_epoch_1.pth'), ('mmseg', FCN, r' mIoU: \d', 'iter_4.pth')])
def test_pose_and_segmentation(host, name, metric, checkpoint, mim, trained):
    """Use the tools of the plugin, and those of the host with a user config."""
    pytest.importorskip(host)
    (mim.folder / 'mine').mkdir(exist_ok=True)
    # with so few persons and iterations, any AP is the best so far
    (mim.folder / 'mine' / f'{host}.py').write_text(f"_base_ = [__import__('hrnet_plugin').cfg('{name}')]\n")
    ours, printed = trained(name)
    theirs = f'{host}-work'
    upstream = mim('train', host, f'mine/{host}.py', '--work-dir', theirs, '--cfg-options', *SHORT[name])
    for package, config, work, out in (('hrnet_plugin', f'{name}.py', ours, printed),
                                       (host, f'mine/{host}.py', theirs, upstream)):
        assert re.search(metric, out)
        assert (mim.folder / work / checkpoint).is_file()
        show = ['--show-dir', 'pictures', '--record'] if package == 'hrnet_plugin' else []
        out = mim('test', package, config, '--checkpoint', f'{work}/{checkpoint}', '--work-dir', work, *show)
        assert re.search(metric, out)
        assert (package == 'hrnet_plugin') == ('in the leaderboard store' in out)
    assert list((mim.folder / ours).rglob('pictures/*'))
    assert 'step' in mim('run', 'hrnet_plugin', 'report', ours)
    assert (mim.folder / ours / 'pictures.png').is_file()


def test_a_detector_checkpoint_initializes_the_other_tasks(mim, job):
    (mim.folder / 'mine').mkdir(exist_ok=True)
    found = []
    for host, name in (('mmpose', POSE), ('mmseg', FCN)):
        pytest.importorskip(host)
        (mim.folder / 'mine' / f'{host}_from.py').write_text(
            f"_base_ = [__import__('hrnet_plugin').cfg('{name}')]\n"
            "init_cfg = dict(_delete_=True, type='hrnet_plugin.Pretrained', checkpoint='work/epoch_1.pth')\n"
            'model = dict(backbone=dict(init_cfg=init_cfg))\n')
        out = mim('train', host, f'mine/{host}_from.py', '--work-dir', f'{host}-from', '--cfg-options', *SHORT[name])
        found.append(re.search(r'HRNet: (loaded .*); from', out).group(1))
        # also in the log file
        logged = ''.join(file.read_text() for file in (mim.folder / f'{host}-from').glob('*/*.log'))
        assert ('The checkpoint was trained with nearest' in logged) == (host == 'mmseg')
    assert found == [
        'loaded 348 of 348 backbone tensors (100%), HRNet-W18-small-v1 of the family "mmdet 2 and 3", trained with '
        'nearest upsampling; not in this network: 78 (stage4.0.fuse_layers.1, stage4.0.fuse_layers.2, '
        'stage4.0.fuse_layers.3); ignored: neck, rpn_head, roi_head (detection)',
        'loaded 426 of 426 backbone tensors (100%), HRNet-W18-small-v1 of the family "mmdet 2 and 3", trained with '
        'nearest upsampling; ignored: neck, rpn_head, roi_head (detection)']


def test_pose_and_segmentation_interfaces(mim, python, trained):
    """Load checkpoints by the interfaces of the hosts, in processes without imports of the plugin."""
    pytest.importorskip('mmpose')
    pytest.importorskip('mmseg')
    (pose_work, _), (segmentation_work, _) = map(trained, (POSE, FCN))
    code = """
        import glob, warnings
        warnings.simplefilter('ignore')
        import numpy as np
        image = 'data/sample/val2017/000000000001.png'
        {body}
    """
    pose = f"""
        import hrnet_plugin
        from mmpose.apis import inference_topdown, init_model
        model = init_model(hrnet_plugin.cfg('{POSE}'), glob.glob('{pose_work}/best*.pth')[0], device='cpu')
        person, = inference_topdown(model, image, np.array([[10, 10, 90, 120]]))
        print('RESULT', person.pred_instances.keypoints.shape)
    """
    segmentation = f"""
        import hrnet_plugin
        from mmseg.apis import inference_model, init_model
        model = init_model(hrnet_plugin.cfg('{FCN}'), '{segmentation_work}/iter_4.pth', device='cpu')
        print('RESULT', tuple(inference_model(model, image).pred_sem_seg.data.shape))
    """
    expected = ((pose, '(1, 17, 2)'), (segmentation, '(1, 256, 320)'))
    for body, shape in expected:
        text = textwrap.dedent(code).replace('{body}', textwrap.dedent(body))
        assert f'RESULT {shape}' in execute([python, '-c', text], mim.folder)


def test_two_processes(mim, job):
    out = mim('train', 'hrnet_plugin', f'{SAMPLE}.py', '--launcher', 'pytorch', '--gpus', 2, '--work-dir', 'two',
              '--cfg-options', 'train_cfg.max_epochs=1', *QUICK, OMP_NUM_THREADS='1', CUDA_VISIBLE_DEVICES='')
    assert (mim.folder / 'two' / 'epoch_1.pth').is_file()
    assert '[1/1]' not in out.split('Epoch(train)')[1]  # six images, two a step, two processes: two steps
    assert measured(out)


def test_another_data_root(mim, job):
    shutil.copytree(mim.folder / 'data' / 'sample', mim.folder / 'elsewhere')
    shutil.move(mim.folder / 'data', mim.folder / 'hidden')
    try:
        out = mim('test', 'hrnet_plugin', f'{SAMPLE}.py', '--checkpoint', 'work/epoch_1.pth', '--data-root',
                  'elsewhere', '--cfg-options', *QUICK)
    finally:
        shutil.move(mim.folder / 'hidden', mim.folder / 'data')
    assert measured(out)


def test_configs_are_listed_printed_and_copied(mim):
    assert 'faster-rcnn_hrnetv2p-w48_2x_coco' in mim('run', 'hrnet_plugin', 'config')
    listed = mim('run', 'hrnet_plugin', 'config', 'w40')
    assert 'faster-rcnn_hrnetv2p-w40_1x_coco' in listed
    assert 'w48' not in listed
    assert "arch='w32'" in mim('run', 'hrnet_plugin', 'config', 'faster-rcnn_hrnetv2p-w32_1x_coco')
    mim('run', 'hrnet_plugin', 'config', 'faster-rcnn_hrnetv2p-w32_1x_coco', '--out', 'copies')
    assert 'hrnet_plugin' in (mim.folder / 'copies' / 'faster-rcnn_hrnetv2p-w32_1x_coco.py').read_text()


def test_mim_search(mim):
    out = mim('search', 'hrnet_plugin', '--model', 'Faster R-CNN HRNetV2p')
    assert 'faster-rcnn_hrnetv2p-w18_1x_coco' in out


def test_downloading_from_a_server(mim, python, tmp_path):
    """Use the shipped model index with a local server."""
    package = Path(execute([python, '-c', 'import hrnet_plugin; print(hrnet_plugin.__path__[0])'], mim.folder).strip())
    metafile = package / '.mim' / 'configs' / 'faster_rcnn' / 'metafile.yml'
    shipped = metafile.read_text()
    name = 'faster-rcnn_hrnetv2p-w18_1x_coco'
    url, = re.findall(r'Weights: (https://\S+w18_1x\S+)', shipped)
    address, path = re.fullmatch(r'(https://[^/]+)/(.+)', url).groups()
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_bytes(b'weights')
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        metafile.write_text(shipped.replace(address, f'http://127.0.0.1:{server.server_port}'))
        mim('download', 'hrnet_plugin', '--config', name, '--dest', 'downloads', '--ignore-ssl')
    finally:
        metafile.write_text(shipped)
        server.shutdown()
        server.server_close()
    assert (mim.folder / 'downloads' / Path(path).name).read_bytes() == b'weights'
    assert (mim.folder / 'downloads' / f'{name}.py').is_file()


def test_mmdets_inference_interfaces(mim, python, job):
    path = execute([python, '-c', f"import hrnet_plugin; print(hrnet_plugin.cfg('{SAMPLE}'))"], mim.folder).strip()
    code = f"""
        import json, logging, warnings
        warnings.simplefilter('ignore')
        from mmdet.apis import DetInferencer, inference_detector, init_detector
        image, weights = 'data/sample/val2017/000000000001.png', 'work/epoch_1.pth'
        # the inferencer loads the checkpoint before it builds the model and imports the plugin
        inferencer = DetInferencer({str(path)!r}, weights, device='cpu', show_progress=False)
        first = inferencer(image, no_save_vis=True)['predictions'][0]
        model = init_detector({str(path)!r}, weights, device='cpu')
        second = inference_detector(model, image).pred_instances
        print('RESULT', json.dumps([first['scores'], second.scores.tolist()]))
    """
    out = execute([python, '-c', textwrap.dedent(code)], mim.folder)
    first, second = json.loads(re.search(r'^RESULT (.*)$', out, re.M).group(1))
    assert first == pytest.approx(second, abs=1e-5)
