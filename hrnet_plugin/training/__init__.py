"""Extensions of mmengine for training (hooks, optimizer wrapper, transforms, runner), and build-time checks of models.

This package may import checkpoints, execution, models and hosts.
"""
