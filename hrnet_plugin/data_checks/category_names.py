"""Checks of class names against the categories of COCO annotation files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hrnet_plugin.data_checks.annotations import AnnotationReport
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.data_checks.heads import list_names
from hrnet_plugin.suggest import did_you_mean


def check_names(entry: str, classes: Sequence[str], report: AnnotationReport) -> Iterator[Finding]:
    """Check that all classes are categories of the file, in the same order.

    mmdet numbers the classes in the order of the file and drops unknown names. A missing name therefore changes the
    labels of the classes after it.

    Args:
        entry: Path of the dataset in the config.
        classes: Class names of the dataset.
        report: Scan of its annotation file.
    """
    missing = [name for name in classes if name not in report.names]
    if missing:
        yield Finding(is_error=True, message=(
            f'{entry}.metainfo.classes must be categories of {report.file} ({list_names(report.names)}), got '
            f'{list_names(missing)}.{_advice(missing, report)}'))
        return
    if entry.startswith('train') and not any(sum(report.boxes.get(name, ())) for name in classes):
        yield Finding(is_error=True, message=(
            f'{report.file} must have objects of the classes of {entry} ({list_names(classes)}), got none.'
            f'{_advice([], report)}'))
    order = used_categories(classes, report)
    if order != tuple(classes):
        yield Finding(is_error=False, message=(
            f'{entry}.metainfo.classes should have the order of the categories in {report.file}, because mmdet numbers '
            f'classes in that order: {list_names(order)}, got {list_names(classes)}. Visualizations would show the '
            'wrong names'))
    unused = {name: sum(report.boxes.get(name, ())) for name in report.names if name not in classes}
    if any(unused.values()):
        yield Finding(is_error=False, message=(
            f'{sum(unused.values())} objects in {report.file} are not used: their categories '
            f'{list_names([name for name, number in unused.items() if number])} are not in {entry}.metainfo.classes'))


def check_same_order(classes: Sequence[str], reports: Iterable[AnnotationReport]) -> Iterator[Finding]:
    """Check that all files give the same label to each class.

    Args:
        classes: Class names of the datasets.
        reports: Scans of the annotation files of all datasets.
    """
    first = None
    for report in reports:
        order = used_categories(classes, report)
        if len(order) != len(classes):
            continue
        first = first or (report.file, order)
        if order != first[1]:
            yield Finding(is_error=True, message=(
                f'the categories of {report.file} must have the order of {first[0]}, because mmdet numbers classes in '
                f'that order: {list_names(first[1])}, got {list_names(order)}'))


def check_trained(classes: Sequence[str], trained: Sequence[AnnotationReport],
                  evaluated: Sequence[AnnotationReport]) -> Iterator[Finding]:
    """Check that all classes with objects in an evaluated file have objects in a training file.

    Args:
        classes: Class names of the datasets.
        trained: Scans of the annotation files for training.
        evaluated: Scans of the others.
    """
    def present(reports: Sequence[AnnotationReport]) -> list[str]:
        return [name for name in classes if any(sum(report.boxes.get(name, ())) for report in reports)]

    missing = [name for name in present(evaluated) if name not in present(trained)]
    if trained and missing:
        yield Finding(is_error=False, message=(
            f'{", ".join(str(report.file) for report in evaluated)}: {list_names(missing)} should also have objects in '
            f'{", ".join(str(report.file) for report in trained)}, got none. Their AP will be 0'))


def used_categories(classes: Sequence[str], report: AnnotationReport) -> tuple[str, ...]:
    """Return the categories of a file that are classes, in the order of the file."""
    return tuple(name for name in report.names if name in classes)


def _advice(missing: Sequence[str], report: AnnotationReport) -> str:
    hint = did_you_mean(missing[0], report.names) if missing else ''
    names = tuple(name for name in report.names if sum(report.boxes.get(name, ())))
    if len(names) > 20:
        return hint
    return f'{hint} Categories with objects: metainfo=dict(classes={names!r})'
