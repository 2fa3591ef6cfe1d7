"""Table of an ablation study: means and confidence intervals over seeds, and differences from the first variant."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from statistics import mean, stdev

from scipy.stats import t

from hrnet_plugin.evaluation.counting import ModelCount
from hrnet_plugin.evaluation.csv_rows import write_rows
from hrnet_plugin.evaluation.markdown import markdown_table
from hrnet_plugin.experiments.ablation.runs import Result
from hrnet_plugin.experiments.ablation.study import Study, Variant

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """Mean with its confidence interval.

    Attributes:
        mean: Mean of the values. NaN without values.
        margin: Half the width of the 95 percent confidence interval by Student's t-distribution. NaN with fewer than
            two values.
        number: Number of values.
    """
    mean: float
    margin: float
    number: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Estimate:
        """Estimate the mean of independent values."""
        n = len(values)
        if n == 0:
            return cls(math.nan, math.nan, 0)
        margin = t.ppf((1 + CONFIDENCE) / 2, n - 1) * stdev(values) / math.sqrt(n) if n > 1 else math.nan
        return cls(mean(values), float(margin), n)

    def __str__(self) -> str:
        if self.number == 0:
            return '-'
        return f'{self.mean:.1f}' if math.isnan(self.margin) else f'{self.mean:.1f} ± {self.margin:.1f}'


@dataclass(frozen=True)
class Row:
    """Row of the table: the results of a variant.

    Attributes:
        variant: The variant.
        metrics: Title -> estimate over the seeds.
        differences: Title -> estimate of the paired difference from the first variant, over the seeds that both have.
        step_seconds: Time per iteration in seconds, the smallest median of the seeds. NaN if no run logged times, or
            if the runs of the study have different settings.
        count: Parameters and operations of the model.
    """
    variant: Variant
    metrics: Mapping[str, Estimate]
    differences: Mapping[str, Estimate]
    step_seconds: float
    count: ModelCount


def rows(study: Study, results: Sequence[Result], counts: Mapping[str, ModelCount]) -> list[Row]:
    """Compute the rows of the table, in the order of the study's variants.

    Args:
        study: The study.
        results: Results of the finished runs.
        counts: Name of a variant -> parameters and operations of its model.
    """
    has_one_setting = all(result.setting == results[0].setting for result in results)

    def values(variant: Variant, title: str) -> dict[int, float]:
        by_seed = {r.seed: r.metrics[title] for r in results if r.variant == variant.name}
        return {seed: value for seed, value in by_seed.items() if value is not None}

    def row(variant: Variant) -> Row:
        metrics, differences = {}, {}
        for title in study.metrics:
            own, first = values(variant, title), values(study.variants[0], title)
            metrics[title] = Estimate.of([*own.values()])
            differences[title] = Estimate.of([own[seed] - first[seed] for seed in own if seed in first])
        times = [r.step_seconds for r in results
                 if has_one_setting and r.variant == variant.name and r.step_seconds is not None]
        return Row(variant, metrics, differences, min(times, default=math.nan), counts[variant.name])

    return [row(variant) for variant in study.variants]


def as_csv(study: Study, table: Sequence[Row]) -> str:
    """Return the table as CSV, with all digits and the bounds of the confidence intervals."""
    out = StringIO()
    titles = ['variant', 'seeds', *(f'{title}{suffix}' for title in study.metrics for suffix in (
        '', ' low', ' high', ' difference', ' difference low', ' difference high', ' published')),
        'parameters', 'macs', 'step_seconds']
    write_rows(out, [titles, *(_csv_row(study, row) for row in table)])
    return out.getvalue()


def _csv_row(study: Study, row: Row) -> list[object]:
    cells: list[object] = []
    for title in study.metrics:
        for estimate in (row.metrics[title], row.differences[title]):
            cells += [estimate.mean, estimate.mean - estimate.margin, estimate.mean + estimate.margin]
        cells.append(row.variant.published.get(title))
    total = row.count.parts['total']
    return [row.variant.name, row.metrics[study.metric].number, *cells, total.parameters, total.macs, row.step_seconds]


def as_markdown(study: Study, table: Sequence[Row]) -> str:
    """Return the table as Markdown, with mean ± margin per metric. The first variant has no differences."""
    published = [title for title in study.metrics if any(title in row.variant.published for row in table)]
    titles = ['variant', *study.metrics, *(f'{title}, difference' for title in study.metrics)]
    titles += [f'{title}, published' for title in published]
    titles += ['seeds', 'parameters (M)', 'MACs (G)', 'step (s)']
    lines = []
    for row in table:
        first = row is table[0]
        cells = [row.variant.name, *(str(row.metrics[title]) for title in study.metrics)]
        cells += ['' if first else str(row.differences[title]) for title in study.metrics]
        cells += [str(row.variant.published.get(title, '')) for title in published]
        total = row.count.parts['total']
        step = '-' if math.isnan(row.step_seconds) else f'{row.step_seconds:.3f}'
        cells += [str(row.metrics[study.metric].number), f'{total.parameters / 1e6:.3f}', f'{total.macs / 1e9:.3f}',
                  step]
        lines.append(cells)
    return f'{markdown_table(titles, lines)}\n'
