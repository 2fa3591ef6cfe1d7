"""Matches of detections and objects on arrays, with the results of the COCO API."""
