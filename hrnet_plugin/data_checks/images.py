"""Scan of a sample of the images of a dataset."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.image_headers import ImageHeader, UnreadableImageError, read_header

_SHOWN = 3  # files of a message
_IGNORE = "color_type='color_ignore_orientation'"
_NOT_ROTATED = 'turbojpeg'  # backend of mmcv


@dataclass(frozen=True, kw_only=True)
class ImageLoader:
    """Options of the transform LoadImageFromFile.

    Attributes:
        color_type: Channels and rotation, e.g. 'color', 'grayscale' or 'unchanged'.
        backend: Backend of mmcv that decodes images.
    """

    color_type: str = 'color'
    backend: str = 'cv2'

    @property
    def rotates(self) -> bool:
        """True if loading rotates images by their EXIF orientation."""
        return not (self.is_unchanged or self.color_type.endswith('_ignore_orientation')
                    or self.backend == _NOT_ROTATED)

    @property
    def is_unchanged(self) -> bool:
        """True if loading keeps channels and bit depth."""
        return self.color_type == 'unchanged'


@dataclass(frozen=True, kw_only=True)
class AnnotatedImage:
    """Image file with its size in the annotation file.

    Attributes:
        path: Path of the image.
        height, width: Size in pixels. None if it is not annotated.
        loader: Transform that loads the image.
    """

    path: Path
    height: int | None
    width: int | None
    loader: ImageLoader = ImageLoader()


@dataclass(frozen=True, kw_only=True)
class ImageReport:
    """Content and problems of a sample of images.

    Attributes:
        sampled: Number of images of the sample.
        total: Number of images of the dataset.
        sizes: Height and width of the smallest and of the largest image of the sample in pixels, by area. Zeros if no
            image is readable.
        findings: Problems, one per kind.
    """

    sampled: int
    total: int
    sizes: tuple[tuple[int, int], tuple[int, int]]
    findings: tuple[Finding, ...]


def scan_images(images: Sequence[AnnotatedImage], *, most: int = 200) -> ImageReport:
    """Read an evenly spaced sample of images that the transform LoadImageFromFile reads.

    Args:
        images: Images of the dataset.
        most: Maximum number of images to read.
    """
    sample = _sample(images, most)
    headers: dict[int, ImageHeader] = {}
    missing, broken = [], {}
    for number, image in enumerate(sample):
        try:
            headers[number] = read_header(image.path)
        except FileNotFoundError:
            missing.append(number)
        except UnreadableImageError as error:
            broken[number] = str(error)
    sizes = {number: header.rotated_size if sample[number].loader.rotates else header.size
             for number, header in headers.items()}
    findings = [*_check_files(sample, missing, broken), *_check_sizes(sample, headers, sizes),
                *_check_orientation(sample, headers, sizes), *_check_modes(sample, headers)]
    ordered = sorted(sizes.values(), key=lambda size: size[0] * size[1]) or [(0, 0)]
    return ImageReport(sampled=len(sample), total=len(images), sizes=(ordered[0], ordered[-1]),
                       findings=tuple(findings))


def _sample(images: Sequence[AnnotatedImage], most: int) -> list[AnnotatedImage]:
    """Return at most ``most`` images, evenly spaced from the first to the last one."""
    count = min(most, len(images))
    if count < 2:
        return list(images[:count])
    return [images[number * (len(images) - 1) // (count - 1)] for number in range(count)]


def _report(sample: Sequence[AnnotatedImage], cases: Sequence[int], what: str, then: str, *, is_error: bool = True,
            example: str = '') -> Iterator[Finding]:
    """Yield a finding if there are cases."""
    if cases:
        names = ', '.join(str(sample[number].path) for number in cases[:_SHOWN])
        more = ', ...' if len(cases) > _SHOWN else ''
        yield Finding(is_error=is_error, message=f'{len(cases)} of {len(sample)} sampled images {what} ({names}{more}'
                                                 f'{"; e.g. " + example if example else ""}). {then}')


def _check_files(sample: Sequence[AnnotatedImage], missing: Sequence[int],
                 broken: Mapping[int, str]) -> Iterator[Finding]:
    yield from _report(sample, missing, 'do not exist', 'Training stops with FileNotFoundError when it loads one. '
                       'Correct data_root, data_prefix or the file_name of the annotations.')
    yield from _report(sample, list(broken), 'are unreadable or truncated',
                       "Training stops with 'failed to load image' or another error. Copy or export the files again.",
                       example=next(iter(broken.values()), ''))


def _check_sizes(sample: Sequence[AnnotatedImage], headers: Mapping[int, ImageHeader],
                 sizes: Mapping[int, tuple[int, int]]) -> Iterator[Finding]:
    """Yield findings about images whose size when loaded is not the annotated one."""
    wrong = [number for number, size in sizes.items() if _annotated(sample[number]) not in (None, size)]
    turned = [number for number in wrong if sizes[number] != headers[number].size == _annotated(sample[number])]
    other = [number for number in wrong if number not in set(turned)]
    yield from _report(sample, turned, 'are annotated without their EXIF orientation', 'mmdet and mmpose rotate '
                       f'the images, but not boxes, masks and keypoints. Set {_IGNORE} in LoadImageFromFile or '
                       'LoadImage of all pipelines, or save the images without EXIF orientation.')
    yield from _report(sample, other, 'have another size than the annotated one', 'mmdet and mmpose do not scale boxes '
                       'and keypoints to the image, drop objects outside of the annotated size, and fail on masks of '
                       'another size. Annotate the files that are used, or correct height and width.',
                       example=_compare(sample, sizes, other))


def _check_orientation(sample: Sequence[AnnotatedImage], headers: Mapping[int, ImageHeader],
                       sizes: Mapping[int, tuple[int, int]]) -> Iterator[Finding]:
    """Yield findings about images with EXIF orientation whose size agrees."""
    for rotates, does, fix in ((True, 'rotate', _IGNORE), (False, 'do not rotate', "color_type='color'")):
        cases = [number for number, header in headers.items() if header.orientation != 1
                 and sample[number].loader.rotates == rotates and _annotated(sample[number]) in (None, sizes[number])]
        yield from _report(sample, cases, 'have an EXIF orientation', f'mmdet and mmpose {does} them with this '
                           'color_type. Check that the annotations belong to the image that is loaded. Otherwise, set '
                           f'{fix}.', is_error=False)


def _check_modes(sample: Sequence[AnnotatedImage], headers: Mapping[int, ImageHeader]) -> Iterator[Finding]:
    """Yield findings about mixed channels that loading keeps, and about more than 8 bits that it does not keep."""
    groups: dict[str, list[int]] = defaultdict(list)
    for number, header in headers.items():
        if sample[number].loader.is_unchanged:
            groups[header.mode].append(number)
    if len(groups) > 1:
        rare = min(groups, key=lambda mode: len(groups[mode]))
        counts = ', '.join(f'{len(numbers)} {mode}' for mode, numbers in sorted(groups.items()))
        yield from _report(sample, groups[rare], f'are {rare}, unlike the others: {counts}', "With "
                           "color_type='unchanged', their channels differ and training fails. Set color_type='color', "
                           "or 'grayscale' for models with one channel.", is_error=False)
    deep = [number for number, header in headers.items()
            if header.mode.endswith('bit') and not sample[number].loader.is_unchanged]
    yield from _report(sample, deep, 'have more than 8 bits per channel', 'This color_type keeps the highest 8 of '
                       "them. Set color_type='unchanged' to keep all, with mean and std of their range.",
                       is_error=False)


def _annotated(image: AnnotatedImage) -> tuple[int, int] | None:
    return None if image.height is None or image.width is None else (image.height, image.width)


def _compare(sample: Sequence[AnnotatedImage], sizes: Mapping[int, tuple[int, int]], cases: Sequence[int]) -> str:
    if not cases:
        return ''
    (height, width), image = sizes[cases[0]], sample[cases[0]]
    return f'{width} x {height} instead of {image.width} x {image.height}'
