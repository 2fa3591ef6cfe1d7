"""Bar chart of an ablation study, one bar per variant with its confidence interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

from hrnet_plugin.escaping import escape_plot
from hrnet_plugin.experiments.ablation.study import Study
from hrnet_plugin.experiments.ablation.table import Row

mpl.use('Agg')
from matplotlib import pyplot as plt


def draw(study: Study, table: Sequence[Row], target: Path) -> None:
    """Draw one bar chart per metric, with one bar per variant in the order of the study.

    Args:
        study: Study whose metrics are drawn.
        table: Rows of the study's table.
        target: PNG file to write.
    """
    figure, axes = plt.subplots(1, len(study.metrics), figsize=(1.5 + 0.75 * len(table) * len(study.metrics), 4.2),
                                layout='constrained', squeeze=False)
    colors = plt.get_cmap('tab10')
    for axis, title in zip(axes[0], study.metrics):
        for position, row in enumerate(table):
            estimate = row.metrics[title]
            if estimate.number == 0:
                continue
            margin = 0. if math.isnan(estimate.margin) else estimate.margin
            axis.bar(position, estimate.mean, 0.7, yerr=margin or None, capsize=4, color=colors(position % 10))
            axis.text(position, estimate.mean + margin, f'{estimate.mean:.1f}', ha='center', va='bottom', fontsize=8)
        names = [escape_plot(row.variant.name) for row in table]
        axis.set_xticks(range(len(table)), names, rotation=35, ha='right', fontsize=8)
        axis.set_ylabel(escape_plot(title))
        axis.margins(y=0.12)
        axis.spines[['top', 'right']].set_visible(False)
    figure.savefig(target, format='png', dpi=120)
    plt.close(figure)
