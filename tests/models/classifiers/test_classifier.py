"""HRNet-W*-C: state-dict keys, outputs, and use as a model of mmpretrain."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from conftest import randomize, relative_error
from mmengine.model import BaseModel
from mmengine.registry import MODELS
from mmengine.structures import BaseDataElement
from torch.nn import functional as F

from hrnet_plugin.arch import ARCHS
from hrnet_plugin.models import ClassificationHead, HRNetClassifier

SMALL = 'w18_small_v1'
# arXiv 1908.07919, appendix B, and the official code
PARAMETERS = dict(w18_small_v1=13_187_464, w18_small_v2=15_597_464, w18=21_299_004, w30=37_712_220, w32=41_232_680,
                  w40=57_557_160, w44=67_064_984, w48=77_469_864, w64=128_059_944)


def official(model):
    """Return the state dict with the keys of the official code, which have no prefix."""
    return OrderedDict((key.split('.', 1)[1], tensor.clone()) for key, tensor in model.state_dict().items())


@pytest.mark.parametrize('arch', ARCHS)
def test_parameters(arch):
    with torch.device('meta'):
        model = HRNetClassifier(arch)
    assert sum(p.numel() for p in model.parameters()) == PARAMETERS[arch]


def test_state_dict_keys_of_the_head():
    with torch.device('meta'):
        names = list(ClassificationHead(arch='w18').state_dict())
    assert len(names) == 126
    norm = ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked')
    expected = []
    for b in range(4):
        for k in (1, 2, 3):
            expected += [f'incre_modules.{b}.0.conv{k}.weight', *(f'incre_modules.{b}.0.bn{k}.{name}' for name in norm)]
        expected += [f'incre_modules.{b}.0.downsample.0.weight',
                     *(f'incre_modules.{b}.0.downsample.1.{name}' for name in norm)]
    for layer in ('downsamp_modules.0', 'downsamp_modules.1', 'downsamp_modules.2', 'final_layer'):
        expected += [f'{layer}.0.weight', f'{layer}.0.bias', *(f'{layer}.1.{name}' for name in norm)]
    assert names == [*expected, 'classifier.weight', 'classifier.bias']


@torch.no_grad()
def test_head_equals_functional_reference():
    head = randomize(ClassificationHead(arch=SMALL, num_classes=7)).eval()
    feats = [torch.randn(2, c, 24 // 2**b, 16 // 2**b) for b, c in enumerate((16, 32, 64, 128))]
    weights = head.state_dict()

    def conv_norm(x, conv, norm, **options):
        y = F.conv2d(x, weights[f'{conv}.weight'], weights.get(f'{conv}.bias'), **options)
        return F.batch_norm(y, *(weights[f'{norm}.{name}']
                                 for name in ('running_mean', 'running_var', 'weight', 'bias')))

    def bottleneck(x, name):
        y = conv_norm(x, f'{name}.conv1', f'{name}.bn1').relu()
        y = conv_norm(y, f'{name}.conv2', f'{name}.bn2', padding=1).relu()
        y = conv_norm(y, f'{name}.conv3', f'{name}.bn3')
        return (y + conv_norm(x, f'{name}.downsample.0', f'{name}.downsample.1')).relu()

    y = bottleneck(feats[0], 'incre_modules.0.0')
    for b in range(3):
        down = conv_norm(y, f'downsamp_modules.{b}.0', f'downsamp_modules.{b}.1', stride=2, padding=1).relu()
        y = bottleneck(feats[b + 1], f'incre_modules.{b + 1}.0') + down
    assert relative_error(head.merge(feats), y) < 1e-5
    y = conv_norm(y, 'final_layer.0', 'final_layer.1').relu()
    y = F.linear(F.adaptive_avg_pool2d(y, 1).flatten(1), weights['classifier.weight'], weights['classifier.bias'])
    assert relative_error(head(feats), y) < 1e-5


@torch.no_grad()
def test_official_checkpoints_load_strictly():
    source, target = (HRNetClassifier(SMALL, num_classes=5).eval() for _ in range(2))
    randomize(source)
    images = torch.randn(2, 3, 64, 96)
    target.load_state_dict(official(source), strict=True)
    assert torch.equal(target(images), source(images))
    again = HRNetClassifier(SMALL, num_classes=5)
    again.load_state_dict(target.state_dict(), strict=True)
    weights = official(source)
    del weights['classifier.bias']
    with pytest.raises(RuntimeError, match=r'Missing key.*head.classifier.bias'):
        again.load_state_dict(weights, strict=True)


def test_checkpoints_initialize_backbones_of_other_tasks(tmp_path):
    source = randomize(HRNetClassifier(SMALL, num_classes=5))
    torch.save(official(source), tmp_path / 'official.pth')
    torch.save(dict(state_dict=source.state_dict()), tmp_path / 'own.pth')
    for file in ('official.pth', 'own.pth'):
        init_cfg = dict(type='hrnet_plugin.Pretrained', checkpoint=str(tmp_path / file))
        backbone = MODELS.build(dict(type='hrnet_plugin.HRNet', arch=SMALL, init_cfg=init_cfg))
        backbone.init_weights()
        for key, tensor in source.backbone.state_dict().items():
            assert torch.equal(backbone.state_dict()[key], tensor)


def test_training_and_prediction():
    model = MODELS.build(dict(type='hrnet_plugin.HRNetClassifier', arch=SMALL, num_classes=3, label_smooth=0.1))
    model.init_weights()
    samples = [BaseDataElement(gt_label=torch.tensor([label])) for label in (0, 2)]
    images = torch.randn(2, 3, 64, 64)
    loss = model(images, samples, mode='loss')['loss']
    loss.backward()
    assert not [name for name, p in model.named_parameters() if p.grad is None]
    model.eval()
    logits = model(images)
    expected = F.cross_entropy(logits, torch.tensor([0, 2]), label_smoothing=0.1)
    assert model(images, samples, mode='loss')['loss'].item() == pytest.approx(expected.item(), rel=1e-5)
    mixed = [BaseDataElement(gt_score=F.one_hot(torch.tensor(label), 3).float()) for label in (0, 2)]
    assert model(images, mixed, mode='loss')['loss'].item() == pytest.approx(expected.item(), rel=1e-5)
    predicted = model(images, samples, mode='predict')
    assert torch.stack([sample.pred_score for sample in predicted]).allclose(logits.softmax(1))
    assert [sample.pred_label.item() for sample in predicted] == logits.argmax(1).tolist()


@pytest.mark.parametrize(('call', 'error', 'message'), [
    (lambda: HRNetClassifier(SMALL, label_smooth=1), ValueError, 'label_smooth must be at least 0 and below 1, got 1'),
    (lambda: HRNetClassifier(SMALL, num_classes=0), ValueError, 'num_classes must be between 1 and 1048576, got 0'),
    (lambda: HRNetClassifier('w19'), ValueError, "arch must be one of .*, got 'w19'"),
    (lambda: HRNetClassifier(SMALL)(torch.rand(1, 3, 64, 64), mode='loss'), ValueError,
     'data_samples must contain one'),
    (lambda: HRNetClassifier(SMALL)(torch.rand(1, 3, 64, 64), mode='x'), ValueError, "mode must be one of .*, got 'x'"),
    (lambda: ClassificationHead([16, 32]), ValueError, 'in_channels must have 4 entries'),
    (lambda: ClassificationHead(arch=SMALL)([torch.rand(1, 16, 8, 8)]), ValueError, 'feats must have 4 feature maps')])
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_default_type_of_the_preprocessor(monkeypatch):
    made, init = [], BaseModel.__init__

    def recorded(self, data_preprocessor, init_cfg):
        made.append(data_preprocessor)
        init(self, None, init_cfg)

    monkeypatch.setattr(BaseModel, '__init__', recorded)
    HRNetClassifier(SMALL, data_preprocessor=dict(num_classes=5), train_cfg=dict(augments=dict(type='Mixup')))
    HRNetClassifier(SMALL, data_preprocessor=dict(type='mine'))
    HRNetClassifier(SMALL)
    assert made == [
        dict(type='mmpretrain.ClsDataPreprocessor', num_classes=5, batch_augments=dict(augments=dict(type='Mixup'))),
        dict(type='mine'), None]


def test_with_mmpretrain():
    """Run the model with mmpretrain's preprocessor, samples and metric."""
    pytest.importorskip('mmpretrain')
    from mmpretrain.evaluation import Accuracy
    from mmpretrain.registry import MODELS as REGISTRY
    from mmpretrain.structures import DataSample
    preprocessor = dict(type='mmpretrain.ClsDataPreprocessor', mean=[0.] * 3, std=[255.] * 3, num_classes=4)
    model = REGISTRY.build(dict(type='hrnet_plugin.HRNetClassifier', arch=SMALL, num_classes=4,
                                data_preprocessor=preprocessor)).eval()
    image = torch.randint(0, 256, (3, 64, 64), dtype=torch.uint8)
    data = dict(inputs=[image], data_samples=[DataSample().set_gt_label(1)])
    metric = Accuracy()
    metric.process([], [sample.to_dict() for sample in model.test_step(data)])
    assert 'accuracy/top1' in metric.evaluate(1)
