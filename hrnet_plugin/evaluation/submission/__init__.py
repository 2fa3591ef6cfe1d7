"""Submissions to the COCO evaluation server: test-dev config, check and archive of detections."""
