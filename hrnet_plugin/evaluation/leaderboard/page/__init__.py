"""Leaderboard as a single self-contained HTML page."""

from hrnet_plugin.evaluation.leaderboard.page.write import write_page

__all__ = ['write_page']
