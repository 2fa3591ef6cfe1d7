"""Running models faster: their fast form."""

from hrnet_plugin.runtime.form import make_fast, make_plain

__all__ = ['make_fast', 'make_plain']
