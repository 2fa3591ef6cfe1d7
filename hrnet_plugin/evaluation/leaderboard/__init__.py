"""The leaderboard: published rows, a store of own ones, and how they are ranked and shown."""
