"""Checkpoints in work directories, and locks of work directories."""

from __future__ import annotations

import re
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmengine.dist import broadcast_object_list, is_main_process

from hrnet_plugin.checkpoints.file import read_run
from hrnet_plugin.files import file_lock, release_lock

_LOCK_TIMEOUT_SECONDS = 10.  # dataloader workers of a killed run exit within this time


def newest_checkpoint(work_dir: str | Path, notices: list[str]) -> str | None:
    """Return the newest complete checkpoint that a run can be resumed from, or None if there is none.

    This is the checkpoint in mmengine's file ``last_checkpoint``, or a later one with a higher number. If a killed run
    has left an incomplete checkpoint or a wrong ``last_checkpoint``, it is the latest complete file. Best checkpoints
    are ignored, because they have no optimizer state. If ``last_checkpoint`` contains a URL or a folder, it is returned
    unchanged.

    Args:
        work_dir: Work directory of the run.
        notices: List to which a line is added per incomplete or missing file.
    """
    text = _last_checkpoint(work_dir)
    if '://' in text or (text and Path(text).is_dir()):
        return text
    found = []
    for path in checkpoints(work_dir):
        if is_complete(path):
            found.append(path)
        else:
            notices.append(f'{path} is incomplete: the run was killed while it wrote this checkpoint')
    if text and not Path(text).is_file():
        notices.append(f'{Path(work_dir, "last_checkpoint")} contains {text}, which is missing')
    named = next((path for path in found if Path(text).is_file() and path.samefile(text)), None)
    if named is None:
        return str(found[0]) if found else None
    return str(max((path for path in found if _is_later(path, named)), key=_age, default=named))


def checkpoints(work_dir: str | Path) -> list[Path]:
    """Return the checkpoints of a run, complete or not, latest first, without best and published ones.

    Args:
        work_dir: Work directory of the run. If its ``last_checkpoint`` is in another folder or has another naming
            scheme, checkpoints in that folder and with such names are included.
    """
    text = _last_checkpoint(work_dir)
    places = [Path(work_dir), Path(text).parent] if text else [Path(work_dir)]
    folders = {folder.resolve() for folder in places if folder.is_dir()}
    patterns = {_name_pattern(name) for name in ('epoch_1.pth', 'iter_1.pth', Path(text).name)}
    found = [path for folder in folders for path in folder.iterdir()
             if _name_pattern(path.name) in patterns and path.is_file()]
    return sorted(found, key=_age, reverse=True)


def _age(path: Path) -> tuple[float, int]:
    return path.stat().st_mtime, _number(path)


def _is_later(path: Path, named: Path) -> bool:
    """Return True if a checkpoint was written after another one. Epochs and iterations are not compared."""
    newer, older = path.stat().st_mtime, named.stat().st_mtime
    if _name_pattern(path.name) == _name_pattern(named.name):
        return newer >= older and _number(path) > _number(named)
    return newer > older


def _name_pattern(name: str) -> str:
    return re.sub(r'\d+', '#', name)


def _number(path: Path) -> int:
    """Return the last number in a file name, i.e. the epoch or iteration, or -1."""
    return int(re.findall(r'\d+', path.stem)[-1]) if re.search(r'\d', path.stem) else -1


def is_complete(path: Path) -> bool:
    """Return True unless a checkpoint (a zip archive) is truncated."""
    with path.open('rb') as file:
        start = file.read(2)
    return zipfile.is_zipfile(path) if start == b'PK' else start == b'\x80\x02'


def check_resumable(path: str) -> None:
    """Raise an error unless a path is that of a complete checkpoint.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is incomplete. The message names a complete checkpoint in the same folder, if there is one.
    """
    file = Path(path)
    if file.is_file() and is_complete(file):
        return
    other = newest_checkpoint(file.parent, []) if file.parent.is_dir() else None
    hint = f'. The newest complete one in its folder is {other}' if other is not None else ''
    if not file.exists():
        raise FileNotFoundError(f'--resume must be a checkpoint, got {path}, which is missing{hint}')
    raise ValueError(f'--resume must be a complete checkpoint: {_problem(file)}{hint}')


def _problem(file: Path) -> str:
    """Return why a run cannot be resumed from a file, such as a web page or a truncated checkpoint."""
    try:
        read_run(file)
    except (OSError, ValueError) as error:
        return str(error)
    return f'{file} is truncated'


@contextmanager
def reserve_work_dir(work_dir: str | Path) -> Iterator[None]:
    """Lock a work directory during the block. Only the first process of a group does so, and all end if it cannot.

    Args:
        work_dir: Work directory of the run.

    Raises:
        RuntimeError: If another run uses the work directory.
        SystemExit: The same in the other processes.
    """
    refused = [True]
    if not is_main_process():
        broadcast_object_list(refused)
        if refused[0]:
            raise SystemExit(1)  # the first process prints the error
        yield
        return
    try:
        with _lock(work_dir):
            refused[0] = False
            broadcast_object_list(refused)
            yield
    finally:
        if refused[0]:
            broadcast_object_list(refused)


@contextmanager
def _lock(work_dir: str | Path) -> Iterator[None]:
    message = f'work_dir must not be used by another run, got {work_dir}, in which another run trains now. ' \
              'Set --work-dir to another folder'
    with file_lock(Path(work_dir) / '.lock', _LOCK_TIMEOUT_SECONDS, message) as descriptor:
        try:
            yield
        finally:
            release_lock(descriptor)  # otherwise dataloader workers that outlive the run would keep the lock


def earlier_run_warning(work_dir: str | Path) -> str | None:
    """Return a warning if a new run would mix its checkpoints with those of an earlier run, else None."""
    found = [*checkpoints(work_dir), *sorted(Path(work_dir).glob('best_*.pth'))]
    if not found:
        return None
    date = time.strftime('%Y-%m-%d %H:%M', time.localtime(found[0].stat().st_mtime))
    return (f'{work_dir} has {len(found)} checkpoints of an earlier run ({found[0].name}, {date}). This run starts '
            'from scratch and overwrites checkpoints with the same names. Add --resume to continue the earlier run, or '
            'set --work-dir to another folder')


def _last_checkpoint(work_dir: str | Path) -> str:
    """Return the content of mmengine's file ``last_checkpoint``, or an empty string if it is missing."""
    file = Path(work_dir) / 'last_checkpoint'
    return file.read_text(encoding='utf-8', errors='replace').strip('\0 \n\r\t') if file.is_file() else ''

