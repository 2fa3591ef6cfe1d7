"""Leaderboard as a single self-contained HTML page."""

from hrnet_plugin.evaluation.leaderboard.page.write import page_text, write_page

__all__ = ['page_text', 'write_page']
