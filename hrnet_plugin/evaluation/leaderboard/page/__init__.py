"""The leaderboard as one page that needs nothing but itself."""

from hrnet_plugin.evaluation.leaderboard.page.write import write_page

__all__ = ['write_page']
