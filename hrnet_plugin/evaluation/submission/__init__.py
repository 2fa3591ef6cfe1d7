"""Files for COCO's evaluation server: the config that makes one, what is wrong with one, and its archive."""
