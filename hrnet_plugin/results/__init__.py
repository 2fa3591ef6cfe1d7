"""Predictions of all tasks as one type, and their files and visualizations."""
