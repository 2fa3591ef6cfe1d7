"""The sample set: generated scenes in COCO's format."""

from hrnet_plugin.experiments.sample_set.generate import write_sample_set

__all__ = ['write_sample_set']
