"""Generated sample set: synthetic scenes in COCO format."""

from hrnet_plugin.experiments.sample_set.generate import write_sample_set

__all__ = ['write_sample_set']
