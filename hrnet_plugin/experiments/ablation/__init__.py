"""Ablation studies: variants of a config trained with several seeds, and the table of their results."""

from hrnet_plugin.experiments.ablation.runs import Result, Run, all_runs
from hrnet_plugin.experiments.ablation.scheduler import RunScheduler, locked
from hrnet_plugin.experiments.ablation.study import Study, Variant, list_studies, read_study
from hrnet_plugin.experiments.ablation.table import Estimate, Row, as_csv, as_markdown, rows

__all__ = ['Estimate', 'Result', 'Row', 'Run', 'RunScheduler', 'Study', 'Variant', 'all_runs', 'as_csv', 'as_markdown',
           'list_studies', 'locked', 'read_study', 'rows']
