"""Kinds of detections that the COCO evaluation server evaluates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from hrnet_plugin.evaluation.detections import SHAPES, short
from hrnet_plugin.evaluation.result_checks import ResultChecker
from hrnet_plugin.evaluation.rle import is_empty
from hrnet_plugin.evaluation.submission.images import SplitImages

# order in which the COCO API looks for the shape of the first detection; it sets the areas of all by the first it finds
_API_ORDER = ('caption', *SHAPES.values())
_OUTSIDE = 1.  # pixels by which a box may extend beyond its image, due to rounding


class Kind(ABC):
    """Kind of detections.

    Attributes:
        name: 'bbox', 'segm' or 'keypoints', the ``iouType`` of the COCO API and the suffix of result files.
        archive: Start of the archive's file name.
        limit: Largest number of detections per class and image that the server evaluates.
        evaluated: Description of the evaluated categories in error messages.
        warnings: Unusual property -> end of a message that begins with the number of its detections.
        mistakes: Property that most detections have only by mistake -> error message, with their number as ``{}``.
    """

    name: str
    archive: str
    limit: int
    evaluated: str = 'in the split'
    warnings: Mapping[str, str]
    mistakes: Mapping[str, str] = {}

    @property
    def key(self) -> str:
        """Key of the shape in a detection."""
        return SHAPES[self.name]

    @property
    def misleading(self) -> tuple[str, ...]:
        """Keys that change how the COCO API evaluates the kind."""
        return _API_ORDER[:_API_ORDER.index(self.key)]

    def categories(self, images: SplitImages) -> Collection[int]:
        """Return the IDs of the evaluated categories."""
        return images.categories

    def checker(self, images: SplitImages) -> ResultChecker:
        """Return the check that evaluations and submissions have in common."""
        categories = self.categories(images)
        return ResultChecker(self.name, images=images.sizes, categories=categories, keypoints=images.keypoints,
                             where=f'one of the {len(images.sizes)} in the split',
                             evaluated=f'one of the {len(categories)} {self.evaluated}')

    def server_error(self, detection: Mapping[str, Any], images: SplitImages) -> str:
        """Return an error message for a valid shape that the server never matches, or an empty string.

        Args:
            detection: Valid detection.
            images: Images and categories of the split.
        """
        return ''

    @abstractmethod
    def unusual(self, detection: Mapping[str, Any], images: SplitImages) -> Iterator[str]:
        """Yield the properties of :attr:`warnings` and :attr:`mistakes` that a valid detection has."""

    @abstractmethod
    def encode(self, shape: Any) -> bytes:
        """Return a valid shape as bytes, which differ for different shapes."""


class _Boxes(Kind):
    name, archive, limit = 'bbox', 'detections', 100
    warnings = {'size': 'boxes have zero width or height', 'outside': 'boxes extend beyond their images'}
    mistakes = {'corners': 'bbox must be [x, y, width, height], got {} boxes that extend beyond their images but would '
                           'fit as [x1, y1, x2, y2]'}

    def server_error(self, detection: Mapping[str, Any], images: SplitImages) -> str:
        box, (height, width) = detection[self.key], images.sizes[detection['image_id']]
        x, y, w, h = box
        if w < 0 or h < 0:
            return f'bbox must have a width and height of at least 0, got {w} and {h}'
        if x >= width or y >= height or x + w < 0 or y + h < 0:
            return f'bbox must overlap its image of {width} x {height}, got {short(box)}'
        return ''

    def unusual(self, detection: Mapping[str, Any], images: SplitImages) -> Iterator[str]:
        height, width = images.sizes[detection['image_id']]
        x, y, w, h = detection[self.key]
        if w == 0 or h == 0:
            yield 'size'
        if x < -_OUTSIDE or y < -_OUTSIDE or x + w > width + _OUTSIDE or y + h > height + _OUTSIDE:
            yield 'outside'
            if 0 <= x < w <= width + _OUTSIDE and 0 <= y < h <= height + _OUTSIDE:
                yield 'corners'

    def encode(self, shape: Any) -> bytes:
        return array('d', shape).tobytes()


class _Masks(Kind):
    name, archive, limit = 'segm', 'detections', 100
    warnings = {'empty': 'masks have no pixels'}

    def unusual(self, detection: Mapping[str, Any], images: SplitImages) -> Iterator[str]:
        if is_empty(detection[self.key]):
            yield 'empty'

    def encode(self, shape: Any) -> bytes:
        return shape['counts'].encode()


class _Keypoints(Kind):
    name, archive, limit = 'keypoints', 'person_keypoints', 20
    evaluated = 'with keypoints in the split'
    warnings = {'point': 'persons have all keypoints at one point',
                'outside': 'persons have all keypoints outside of their images'}
    mistakes = {'relative': 'keypoints must be in pixels, got {} persons with all x and y between 0 and 1'}

    def categories(self, images: SplitImages) -> Collection[int]:
        return images.keypoints

    def server_error(self, detection: Mapping[str, Any], images: SplitImages) -> str:
        keypoints = detection[self.key]
        height, width = images.sizes[detection['image_id']]
        if not any(-width <= x <= 2 * width and -height <= y <= 2 * height
                   for x, y in zip(keypoints[::3], keypoints[1::3])):
            return f'keypoints must be near their image of {width} x {height}, got {short(keypoints)}'
        return ''

    def unusual(self, detection: Mapping[str, Any], images: SplitImages) -> Iterator[str]:
        height, width = images.sizes[detection['image_id']]
        xs, ys = detection[self.key][::3], detection[self.key][1::3]
        if min(xs) == max(xs) and min(ys) == max(ys):
            yield 'point'
        elif min(*xs, *ys) >= 0 and max(*xs, *ys) <= 1:
            yield 'relative'
        if not any(0 <= x <= width and 0 <= y <= height for x, y in zip(xs, ys)):
            yield 'outside'

    def encode(self, shape: Any) -> bytes:
        return array('d', shape).tobytes()


#: Name -> kind.
KINDS: Mapping[str, Kind] = {kind.name: kind for kind in (_Boxes(), _Masks(), _Keypoints())}
