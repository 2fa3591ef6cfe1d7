"""Decoding of heat maps compared with mmpose's codecs, in every format."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from exported_adapters import export_onnx, run_eager, run_onnx, run_openvino, run_torch_export

from hrnet_plugin.export.adapters.adapter import UnsupportedModel
from hrnet_plugin.export.adapters.heatmaps import make_decoder

codecs = pytest.importorskip('mmpose.codecs')
SIZES = dict(input_size=(96, 128), heatmap_size=(24, 32))
CODECS = {
    'shift': lambda: codecs.MSRAHeatmap(**SIZES, sigma=2),
    'dark': lambda: codecs.MSRAHeatmap(**SIZES, sigma=2, unbiased=True),
    'udp': lambda: codecs.UDPHeatmap(**SIZES),
    'udp, small kernel': lambda: codecs.UDPHeatmap(**SIZES, blur_kernel_size=7),
}
OUTPUTS = dict(keypoints={0: 'batch'}, scores={0: 'batch'})
X, Y = torch.arange(24), torch.arange(32)[:, None]


def gaussians(x, y):
    return torch.exp(-((X - x)**2 + (Y - y)**2) / 8)


def peaks():
    """Peaks of different heights, some of them outside of the map."""
    x, y = torch.rand(3, 17, 1, 1) * 26 - 1, torch.rand(3, 17, 1, 1) * 34 - 1
    return gaussians(x, y) * (torch.rand(3, 17, 1, 1) + 0.3)


def borders():
    """Peaks at all distances from the borders."""
    pixels = [(x, y) for x in (0, 1, 2, 3, 20, 21, 22, 23) for y in (0, 1, 2, 3, 28, 29, 30, 31)]
    maps = torch.stack([gaussians(x, y) for x, y in pixels])[None] + 0.001 * torch.rand(1, 64, 32, 24)
    for k, (x, y) in enumerate(pixels):
        maps[0, k, y, x] = 1.2
    return maps


def plateaus():
    """Equal values in rectangles."""
    maps = torch.zeros(1, 30, 32, 24)
    for k in range(30):
        maps[0, k, k % 9:k % 9 + 1 + k % 4, k % 7:k % 7 + 1 + k % 3] = 0.5
    return maps


def empty():
    """Some maps without any value."""
    maps = peaks()
    maps[:, 1::4] = 0
    return maps


MAPS = {
    'peaks': peaks,
    'noisy peaks': lambda: peaks() + 0.02 * torch.randn(3, 17, 32, 24),
    'borders': borders,
    'plateaus': plateaus,
    'ties': lambda: (4 * peaks()).round() / 4,
    'negative': lambda: -torch.rand(3, 17, 32, 24) - 0.1,
    'empty': empty,
    'another size': lambda: torch.nn.functional.pad(peaks(), (0, 5, 0, 3)),
}


def decode(codec, maps):
    """Return keypoints and scores of mmpose."""
    with np.errstate(all='ignore'):
        keypoints, scores = zip(*(codec.decode(heatmaps) for heatmaps in maps.numpy()))
    return np.concatenate(keypoints), np.concatenate(scores)


@pytest.fixture(scope='module', params=CODECS)
def codec_and_runs(request):
    codec = CODECS[request.param]()
    decoder = make_decoder(codec)
    data = export_onnx(decoder, torch.rand(1, 17, 20, 16), OUTPUTS)
    return codec, dict(eager=run_eager(decoder), onnxruntime=run_onnx(data), openvino=run_openvino(data),
                       torch_export=run_torch_export(decoder, torch.rand(2, 17, 32, 24)))


@pytest.mark.parametrize('seed', range(2))
@pytest.mark.parametrize('kind', MAPS)
def test_keypoints_equal_those_of_mmpose(codec_and_runs, kind, seed):
    codec, runs = codec_and_runs
    torch.manual_seed(seed)
    maps = MAPS[kind]()
    keypoints, scores = decode(codec, maps)
    # the numbers of keypoints are constant in exported files, as in models
    for name in runs if maps.shape[1] == 17 else ['eager']:
        got, got_scores = runs[name](maps)
        if kind == 'empty':
            assert np.isfinite(got).all()
            got = np.where(np.isnan(keypoints), keypoints, got)  # of mmpose with UDP
        np.testing.assert_allclose(got, keypoints, rtol=0, atol=1e-3, err_msg=name)
        np.testing.assert_array_equal(got_scores, scores, err_msg=name)


@pytest.mark.parametrize('kind', ['shift', 'dark', 'udp'])
def test_peaks_are_refined(kind):
    """The peaks of the other tests would detect no missing refinement if all were at pixel centers."""
    codec = CODECS[kind]()
    keypoints, _ = decode(codec, peaks())
    plain, _ = codecs.utils.get_heatmap_maximum(peaks().numpy())
    assert (np.abs(keypoints / make_decoder(codec).scale.numpy() - plain).max(2) > 0.1).mean() > 0.5


def test_combined_maps_are_refused():
    with pytest.raises(UnsupportedModel, match=r"got mmpose\.UDPHeatmap with heatmap_type='combined'"):
        make_decoder(codecs.UDPHeatmap(**SIZES, heatmap_type='combined'))


def test_other_codecs_are_refused():
    with pytest.raises(UnsupportedModel, match=r'got mmpose\.RegressionLabel'):
        make_decoder(codecs.RegressionLabel(input_size=(96, 128)))
