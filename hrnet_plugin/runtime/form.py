"""The fast form of a model: the same function and the same weights, prepared for prediction, and the way back.

A module in fast form is of a subclass of its class, so that names, state dicts, copies and ``isinstance`` stay what
they were. Its own layers and weights stay, too; a plan is made from them: convolutions with norms folded in, and
weights in the order that the machine wants.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from hrnet_plugin.checks import check_int, check_map
from hrnet_plugin.models.backbones import HRNet
from hrnet_plugin.models.layers import MergeConv
from hrnet_plugin.models.layers.memory_format import contiguous
from hrnet_plugin.models.necks import HRFPN
from hrnet_plugin.runtime.plan import FastForm, Run
from hrnet_plugin.runtime.pyramid import Merge, Pyramid
from hrnet_plugin.runtime.streams import Prepare, Streams


class FastHRNet(FastForm, HRNet):
    """HRNet in its fast form."""
    plain = HRNet

    @staticmethod
    def make(module: Any, prepare: Prepare) -> Run:
        streams = Streams(module, prepare)
        return lambda x: [contiguous(out) for out in streams(x)]

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """As :meth:`HRNet.forward`."""
        check_map('x', x, self.in_channels)
        plan = self.ready(x)
        return super().forward(x) if plan is None else self.run(plan, x)


class FastHRFPN(FastForm, HRFPN):
    """HRFPN in its fast form."""
    plain = HRFPN

    @staticmethod
    def make(module: Any, prepare: Prepare) -> Run:
        return Pyramid(module, prepare)

    def forward(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """As :meth:`HRFPN.forward`."""
        self.check_inputs(inputs)
        plan = self.ready(inputs[0])
        return super().forward(inputs) if plan is None else self.run(plan, *inputs)


class FastMergeConv(FastForm, MergeConv):
    """MergeConv in its fast form: what HRNetV2 and the segmentation head are made of."""
    plain = MergeConv

    @staticmethod
    def make(module: Any, prepare: Prepare) -> Run:
        merge = Merge(module, prepare)
        return lambda *feats: [contiguous(merge(*feats))]

    def forward(self, *feats: Tensor) -> Tensor:
        """As :meth:`MergeConv.forward`."""
        plan = self.ready(feats[0])
        return super().forward(*feats) if plan is None else self.run(plan, *feats)[0]


_FORMS: dict[type[nn.Module], type[FastForm]] = {form.plain: form for form in (FastHRNet, FastHRFPN, FastMergeConv)}


def make_fast(model: nn.Module, max_graphs: int = 8) -> nn.Module:
    """Turn a model's HRNet and necks into their fast form, in place.

    Args:
        model: A detector, pose estimator, segmentor or classifier with ``hrnet_plugin.HRNet``, or a part of one. What
            is in fast form already stays so.
        max_graphs: On GPUs, how many shapes of the input each of them keeps a CUDA graph for; 0 for none.

    Returns:
        The model. It predicts the same values, but for rounding, wherever no gradients are wanted, and else runs as
        before. Weights may change; only of those that are written through ``.data`` it has to be told, by another
        call. Hooks of layers inside run the model as it was. :func:`make_plain` turns it back.

    Raises:
        TypeError, ValueError: If ``max_graphs`` is no number of graphs, or the model has nothing of this package.
    """
    check_int('max_graphs', max_graphs, 0)
    for part in fast_parts(model):
        form: Any = _FORMS.get(type(part), type(part))
        part.__class__ = form
        part.__dict__.update(max_graphs=max_graphs, _plan=None, _told=set())
    return model


def fast_parts(model: nn.Module) -> list[nn.Module]:
    """The parts of a model that have a fast form, or are in it.

    Raises:
        ValueError: If there are none. Classes that are derived from ours have none: they may do something else.
    """
    found = [part for part in model.modules() if type(part) in _FORMS or isinstance(part, FastForm)]
    if not found:
        derived = {type(part).__name__ for part in model.modules() if isinstance(part, tuple(_FORMS))}
        raise ValueError('model must have parts of type hrnet_plugin.HRNet, hrnet_plugin.HRFPN or '
                         f'hrnet_plugin.HRNetV2, got {type(model).__name__} '
                         + (f'with {", ".join(sorted(derived))}, derived from them' if derived else 'without'))
    return found


def make_plain(model: nn.Module) -> nn.Module:
    """Turn what :func:`make_fast` has changed back, in place, with exactly the weights that it has. Returns the model.
    """
    for part in model.modules():
        if isinstance(part, FastForm):
            for name in ('max_graphs', '_plan', '_told'):
                del part.__dict__[name]
            plain: Any = part.plain
            part.__class__ = plain
    return model
