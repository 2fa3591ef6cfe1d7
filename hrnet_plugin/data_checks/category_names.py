"""Checks of class names against the categories of COCO annotation files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from hrnet_plugin.data_checks.annotations import AnnotationReport
from hrnet_plugin.data_checks.datasets import DatasetEntry
from hrnet_plugin.data_checks.finding import Finding
from hrnet_plugin.data_checks.heads import list_names
from hrnet_plugin.suggest import did_you_mean

_MOST_ADVISED = 20


def check_names(entry: DatasetEntry, classes: Sequence[str], report: AnnotationReport) -> Iterator[Finding]:
    """Check that all classes are categories of the file, in the same order.

    mmdet numbers the classes in the order of the file and drops unknown names. A missing name therefore changes the
    labels of the classes after it. Evaluators fail for predictions of a missing class.

    Args:
        entry: Dataset.
        classes: Class names of the dataset.
        report: Scan of its annotation file.
    """
    missing = [name for name in classes if name not in report.names]
    order = used_categories(classes, report)
    if missing:
        keeps_labels = not entry.is_evaluated and len(order) > 0 and order == tuple(classes[:len(order)])
        yield Finding(is_error=not keeps_labels, message=(
            f'{entry.entry}.metainfo.classes must be categories of {report.file} ({list_names(report.names)}), got '
            f'{list_names(missing)}.{did_you_mean(missing[0], report.names)}{_advice(report)}'))
        return
    if order != tuple(classes):
        yield Finding(is_error=False, message=(
            f'{entry.entry}.metainfo.classes should have the order of the categories in {report.file}, because mmdet '
            f'numbers classes in that order: {list_names(order)}, got {list_names(classes)}. Visualizations would '
            'show the wrong names'))


def unused_objects(entry: str, classes: Sequence[str], report: AnnotationReport) -> Iterator[str]:
    """Yield a note if a file has objects of categories that are not classes of the dataset.

    Args:
        entry: Path of the dataset in the config.
        classes: Class names of the dataset.
        report: Scan of its annotation file.
    """
    unused = {name: number for name in report.names if name not in classes
              and (number := sum(report.boxes.get(name, ())))}
    if unused:
        yield (f'{sum(unused.values())} objects in {report.file} are not used: their categories '
               f'{list_names(list(unused))} are not in {entry}.metainfo.classes')


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


def check_class_objects(classes: Sequence[str], pairs: Sequence[tuple[DatasetEntry, AnnotationReport | None]],
                  ) -> Iterator[Finding]:
    """Check that there are objects to train, of all classes that are evaluated.

    Args:
        classes: Class names of the datasets.
        pairs: Datasets with these classes, and the scans of their annotation files.
    """
    trained = [report for entry, report in pairs if entry.split == 'train']
    scanned = [report for report in trained if report is not None]
    if not scanned or len(scanned) < len(trained):  # other formats may have objects of any class
        return
    files = ', '.join(str(report.file) for report in scanned)
    present = _with_objects(classes, scanned)
    if not present:
        yield Finding(is_error=True, message=(
            f'{files} must have objects of the classes of train_dataloader ({list_names(classes)}), got none.'
            f'{_advice(scanned[0])}'))
        return
    evaluated = [report for entry, report in pairs if entry.split != 'train' and report is not None]
    missing = [name for name in _with_objects(classes, evaluated) if name not in present]
    if missing:
        yield Finding(is_error=False, message=(
            f'{", ".join(str(report.file) for report in evaluated)}: {list_names(missing)} should also have objects in '
            f'{files}, got none. Their AP will be 0'))


def _with_objects(classes: Sequence[str], reports: Sequence[AnnotationReport]) -> list[str]:
    return [name for name in classes if any(sum(report.boxes.get(name, ())) for report in reports)]


def used_categories(classes: Sequence[str], report: AnnotationReport) -> tuple[str, ...]:
    """Return the categories of a file that are classes, in the order of the file."""
    return tuple(name for name in report.names if name in classes)


def _advice(report: AnnotationReport) -> str:
    names = tuple(name for name in report.names if sum(report.boxes.get(name, ())))
    if not 0 < len(names) <= _MOST_ADVISED:
        return ''
    return f' Categories with objects: metainfo=dict(classes={names!r})'
