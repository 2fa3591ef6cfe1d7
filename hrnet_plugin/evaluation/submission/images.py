"""Images and categories of a COCO split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from hrnet_plugin.evaluation.annotation_files import check_ids, check_names, read_sections
from hrnet_plugin.evaluation.coco_keypoints import COCO_SIGMAS
from hrnet_plugin.evaluation.detections import short
from hrnet_plugin.evaluation.rle import image_size_error


@dataclass(frozen=True)
class SplitImages:
    """Images and categories of a COCO split.

    Attributes:
        sizes: Image ID -> height and width in pixels.
        categories: Category ID -> name.
        annotated_keypoints: Category ID -> number of keypoints, for the categories of a file with keypoint names.
    """

    sizes: Mapping[int, tuple[int, int]]
    categories: Mapping[int, str]
    annotated_keypoints: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def read(cls, file: str | Path) -> SplitImages:
        """Read them from an annotation file or ``image_info_test-dev2017.json``.

        Raises:
            FileNotFoundError: If the file does not exist.
            ValueError: If it lacks images or categories, or an ID, name or image size is invalid.
        """
        sections = read_sections(file)
        try:
            check_ids(dict(sections, annotations=[]))
            check_names(sections['categories'])
            sizes = {image['id']: _size(image) for image in sections['images']}
        except ValueError as error:
            raise ValueError(f'images ({file}), {error}') from None
        categories = {category['id']: category['name'] for category in sections['categories']}
        keypoints = {category['id']: len(category['keypoints']) for category in sections['categories']
                     if isinstance(category.get('keypoints'), list)}
        return cls(sizes, categories, keypoints)

    @cached_property
    def keypoints(self) -> Mapping[int, int]:
        """Category ID -> number of keypoints. Without keypoint names, as in test-dev, those of COCO's persons."""
        persons = [number for number, name in self.categories.items() if name == 'person']
        return self.annotated_keypoints or dict.fromkeys(persons, len(COCO_SIGMAS))


def _size(image: Mapping[str, Any]) -> tuple[int, int]:
    """Return the height and width of an image."""
    height: Any = image.get('height')
    width: Any = image.get('width')
    wrong = image_size_error(height, width)
    if wrong:
        raise ValueError(f'image {short(image["id"])}: {wrong}')
    return int(height), int(width)
