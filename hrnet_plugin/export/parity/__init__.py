"""Comparison of exported models with their PyTorch models."""
