"""Why one model beats another: two files of detections on the same images."""
