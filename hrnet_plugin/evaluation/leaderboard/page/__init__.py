"""Leaderboard as a single self-contained HTML page."""

from hrnet_plugin.evaluation.leaderboard.page.write import render_page, write_page

__all__ = ['render_page', 'write_page']
