"""Checks of the images of an annotation file, without reading the images."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hrnet_plugin.data_checks.coco_file import CocoFile
from hrnet_plugin.data_checks.columns import key_of
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.data_checks.ids import duplicates
from hrnet_plugin.evaluation.rle import image_size_error

_ABSOLUTE = re.compile(r'[/\\]|[A-Za-z]:[/\\]')


def check_image_entries(data: CocoFile) -> Iterator[Finding]:
    """Yield findings about file names and sizes of the images."""
    section, names = data.images, data.images.column('file_name')
    if not names:
        yield Finding(is_error=True, message=f"{section.file}: the file has no images. mmdet and mmpose raise 'need at "
                                             "least one array to concatenate'. Add the images of the annotations.")
    yield from section.report([number for number, name in enumerate(names) if not isinstance(name, str)],
                              'without a file_name that is text', "mmdet and mmpose raise KeyError: 'file_name' or "
                              'TypeError when they load the file. Add the path below the image folder.')
    yield from section.report(duplicates([key_of(name) for name in names]), 'with the file_name of another one',
                              'The image is used several times, each time with other annotations. Merge the entries.',
                              is_error=False)
    texts = [(number, name) for number, name in enumerate(names) if isinstance(name, str)]
    yield from section.report([number for number, name in texts if _ABSOLUTE.match(name)], 'with an absolute file_name',
                              'data_prefix has no effect on them, and other machines do not find them. Use paths below '
                              'the image folder.', is_error=False)
    yield from section.report([number for number, name in texts if '\\' in name], 'with a backslash in file_name',
                              'Only Windows reads it as a folder. Use / instead.', is_error=False)
    sizes = [number for number, entry in enumerate(section.entries)
             if image_size_error(entry.get('height'), entry.get('width'))]
    yield from section.report(sizes, 'without valid height and width', 'mmdet and mmpose raise KeyError or TypeError '
                              'when they load the file, or leave out the objects of the image. Add both as positive '
                              'integers in pixels.')
