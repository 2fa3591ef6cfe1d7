"""Parameters and operations of the model of any config, exact or in the units of the paper."""

from hrnet_plugin.evaluation.counting.count import Count, ModelCount, count_call, count_model
from hrnet_plugin.evaluation.counting.paper import paper_count
from hrnet_plugin.evaluation.counting.tables import PaperRow, paper_rows

__all__ = ['Count', 'ModelCount', 'PaperRow', 'count_call', 'count_model', 'paper_count', 'paper_rows']
