"""Training: what mmengine calls (hooks, optimizer wrapper, transforms, runner) and build-time checks of models.

It may import checkpoints, execution, models and hosts.
"""
