"""Small exported models of all formats, made by hand."""

import io
import warnings

import torch
from torch import nn

from hrnet_plugin.export.targets.pt2 import export_program
from hrnet_plugin.prediction.metadata import METADATA_KEY
from hrnet_plugin.prediction.metadata_json import metadata_to_json

DYNAMIC = {0: 'batch', 2: 'height', 3: 'width'}
FORMATS = ('onnx', 'openvino', 'pt2')


def write_exported(folder, metadata, module, channels=3, kind='onnx', size=(16, 24)):
    """Write a module as an exported model with metadata, and return the path."""
    return dict(onnx=_write_onnx, openvino=_write_openvino, pt2=_write_pt2)[kind](
        folder, metadata, module.eval(), torch.zeros(2, channels, *size))


def _onnx(metadata, module, images):
    import onnx
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.onnx.export(module, (images, ), file, opset_version=17, dynamo=False, input_names=['images'],
                          output_names=list(metadata.outputs), dynamic_axes=dict(images=DYNAMIC))
    model = onnx.load_model_from_string(file.getvalue())
    model.metadata_props.add(key=METADATA_KEY, value=metadata_to_json(metadata))
    return model.SerializeToString()


def _write_onnx(folder, metadata, module, images):
    path = folder / 'model.onnx'
    path.write_bytes(_onnx(metadata, module, images))
    return path


def _write_openvino(folder, metadata, module, images):
    import openvino
    path = folder / 'model.xml'
    model = openvino.Core().read_model(_onnx(metadata, module, images))
    model.set_rt_info(metadata_to_json(metadata), METADATA_KEY)
    openvino.save_model(model, str(path), compress_to_fp16=False)
    return path


def _write_pt2(folder, metadata, module, images):
    path = folder / 'model.pt2'
    torch.export.save(export_program(module, images), path, extra_files={METADATA_KEY: metadata_to_json(metadata)})
    return path


class ColorSegmentor(nn.Module):
    """Label = brightest channel. The logits have half the size of the image."""

    def forward(self, images):
        weight = torch.full((3, 1, 2, 2), 0.25)
        return images.argmax(1), nn.functional.conv2d(images, weight, stride=2, groups=3)


class ColorLogits(ColorSegmentor):
    """Logits alone, as models with sliding windows have."""

    def forward(self, images):
        return super().forward(images)[1:]


class BoxesOfChannels(nn.Module):
    """One detection per channel: the rectangle of the bright pixels, with a mask whose left half is set."""

    def forward(self, images):
        bright = images > 127
        rows, columns = bright.any(3).long(), bright.any(2).long()
        height, width = rows.shape[2], columns.shape[2]
        y1, x1 = rows.argmax(2), columns.argmax(2)
        y2, x2 = height - rows.flip(2).argmax(2), width - columns.flip(2).argmax(2)
        boxes = torch.stack([x1, y1, x2, y2], 2).float()
        counts = bright.flatten(2).any(2).sum(1)  # the last channels may be dark
        scores = 0.9 - 0.1 * torch.arange(3.) + 0 * boxes[..., 0]
        masks = (torch.arange(28) < 14).float().expand(28, 28) + 0 * boxes[..., None, :1]
        return boxes, scores, torch.arange(3) + 0 * x1, counts, masks


class BrightestPixels(nn.Module):
    """Keypoint = brightest pixel of a channel."""

    def forward(self, images):
        width = images.shape[3]
        scores, indices = images.flatten(2).max(2)
        return torch.stack([indices % width, torch.div(indices, width, rounding_mode='floor')], 2).float(), scores / 255
