"""Leaderboard of published and local results, with their store, ranking, tables and page."""
