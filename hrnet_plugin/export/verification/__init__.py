"""Evaluation of exported models and their PyTorch models on the test data of a config."""
