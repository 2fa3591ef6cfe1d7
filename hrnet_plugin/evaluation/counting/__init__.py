"""Parameters and operations of any config's model, in plain units and in those of the paper."""

from hrnet_plugin.evaluation.counting.count import Count, ModelCount, count_call, count_model
from hrnet_plugin.evaluation.counting.paper import paper_count
from hrnet_plugin.evaluation.counting.tables import PaperRow, paper_rows

__all__ = ['Count', 'ModelCount', 'PaperRow', 'count_call', 'count_model', 'paper_count', 'paper_rows']
