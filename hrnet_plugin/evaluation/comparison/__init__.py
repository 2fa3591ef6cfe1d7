"""Comparison of two detectors from their detections on the same images."""
