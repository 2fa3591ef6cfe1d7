"""Reproduction of published figures, or of figures of the user, by tests of the checkpoints."""

from hrnet_plugin.experiments.reproduction.comparison import Figure, Outcome, compare
from hrnet_plugin.experiments.reproduction.plan import BrokenRow, Plan, plan_rows
from hrnet_plugin.experiments.reproduction.process import Launch
from hrnet_plugin.experiments.reproduction.published_rows import PublishedRow, published_rows
from hrnet_plugin.experiments.reproduction.requirements import requirements_text
from hrnet_plugin.experiments.reproduction.row import Row
from hrnet_plugin.experiments.reproduction.rows_file import read_rows
from hrnet_plugin.experiments.reproduction.run import reproduce
from hrnet_plugin.experiments.reproduction.selection import select_published, select_rows
from hrnet_plugin.experiments.reproduction.table import outcome_line, summary, write_tables
from hrnet_plugin.experiments.reproduction.weights import Weights

__all__ = ['BrokenRow', 'Figure', 'Launch', 'Outcome', 'Plan', 'PublishedRow', 'Row', 'Weights',
           'compare', 'outcome_line', 'plan_rows', 'published_rows', 'read_rows', 'reproduce', 'requirements_text',
           'select_published', 'select_rows', 'summary', 'write_tables']
