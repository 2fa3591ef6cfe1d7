"""Evaluation: COCO metrics, comparison of detectors, submission, cost of models, leaderboard.

It may import training, checkpoints, execution, models and hosts.
"""
