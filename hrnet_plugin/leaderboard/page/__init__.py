"""The leaderboard as one page that needs nothing but itself."""

from hrnet_plugin.leaderboard.page.write import write_page

__all__ = ['write_page']
