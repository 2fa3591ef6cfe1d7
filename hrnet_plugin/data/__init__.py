"""The sample set: generated scenes in COCO's format."""

from hrnet_plugin.data.sample_set import write_sample_set

__all__ = ['write_sample_set']
