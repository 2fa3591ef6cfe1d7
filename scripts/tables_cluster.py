"""Table of the gradients that processes exchange, and of the time that this takes in a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tables_cells import markdown_table

#: Config -> number of trainable parameters, which tests/scripts/test_tables_cluster.py counts in the models.
PARAMETERS: Mapping[str, int] = {
    'faster-rcnn_hrnetv2p-w18_1x_coco': 27482676,
    'faster-rcnn_hrnetv2p-w32_1x_coco': 47279712,
    'faster-rcnn_hrnetv2p-w40_1x_coco': 63526112,
    'faster-rcnn_hrnetv2p-w48_1x_coco': 83360736,
    'td-hm_hrnetv1-w32_210e_coco-256x192': 28536113,
    'td-hm_hrnetv1-w48_210e_coco-256x192': 63595745,
    'fcn_hrnetv2-w18_120k_cityscapes': 9640849,
    'fcn_hrnetv2-w40_120k_cityscapes': 45893835,
    'fcn_hrnetv2-w48_120k_cityscapes': 65858659,
}
_BYTES = 4  # of a gradient, which is float32 also in mixed precision
_NODES = 8
_RATES = (1, 10, 100)  # Gbit/s


def gradient_table() -> str:
    """Return the table, one line per config."""
    header = ('config', 'gradients, MB', *(f'{rate} Gbit/s' for rate in _RATES))
    return markdown_table(header, _lines())


def all_reduce_seconds(size: int, nodes: int, gigabits: float) -> float:
    """Return the time of a ring all-reduce, in which each node sends ``2 (nodes - 1) / nodes`` times the data.

    Args:
        size: Data in bytes.
        nodes: Number of nodes, each with one link.
        gigabits: Rate of a link in Gbit/s.
    """
    return 2 * (nodes - 1) / nodes * size * 8 / (gigabits * 1e9)


def _lines() -> Iterator[list[str]]:
    for config, parameters in PARAMETERS.items():
        size = parameters * _BYTES
        times = (all_reduce_seconds(size, _NODES, rate) for rate in _RATES)
        yield [config, f'{size / 1e6:.0f}', *(f'{1000 * time:.0f} ms' for time in times)]
