"""Checks of the categories of an annotation file."""

from __future__ import annotations

from collections.abc import Iterator

from hrnet_plugin.data_checks.coco_file import CocoFile
from hrnet_plugin.data_checks.columns import Use, key_of
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.data_checks.ids import duplicates


def check_categories(data: CocoFile, use: Use) -> Iterator[Finding]:
    """Yield findings about the names of the categories."""
    section, names = data.categories, data.categories.column('name')
    if not names:
        yield Finding(is_error=True, message=(
            f'{section.file}: the file has no categories. mmdet and the COCO API treat all annotations as unknown. Add '
            'the categories of the annotations.'))
    yield from section.report([number for number, name in enumerate(names) if not isinstance(name, str)],
                              'without a name that is text', "mmdet raises KeyError: 'name' or leaves the class out. "
                                                             'Add the names.', is_error=not use.keypoints)
    yield from section.report(duplicates([key_of(name) for name in names]), 'with the name of another one',
                              'mmdet gives each of them its own label. If the classes list the name once, labels '
                              'exceed num_classes. Merge the categories, or give them different names.',
                              is_error=not use.keypoints)
