"""Work directories of training runs: what is in them, and who writes to them."""

from __future__ import annotations

import os
import re
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hrnet_plugin.files import locked, release

_PATIENCE_SECONDS = 10.  # data loading processes of a killed run end soon after it
# of each launcher, where it tells a process its number before torch.distributed starts
_RANKS = {'pytorch': 'RANK', 'slurm': 'SLURM_PROCID', 'mpi': 'OMPI_COMM_WORLD_RANK'}


def newest_checkpoint(work_dir: str | Path, notices: list[str]) -> str | None:
    """Return the newest complete checkpoint that a run can be resumed from, or None if there is none.

    That is the one in mmengine's file ``last_checkpoint``, or a later one of a higher number. A run that was killed may
    leave half of a checkpoint, or a ``last_checkpoint`` that names a missing one; then it is the latest file. Best
    checkpoints do not count: they have no optimizer state. An address or a folder is returned as it is.

    Args:
        work_dir: Work directory of the run.
        notices: Is given a line for each file that is incomplete or missing.
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
        notices.append(f'{Path(work_dir, "last_checkpoint")} names {text}, which is missing')
    named = next((path for path in found if Path(text).is_file() and path.samefile(text)), None)
    if named is None:
        return str(found[0]) if found else None
    later = [path for path in found if path.stat().st_mtime >= named.stat().st_mtime and _number(path) > _number(named)]
    return str(max(later, key=_number, default=named))


def checkpoints(work_dir: str | Path) -> list[Path]:
    """Return the checkpoints of a run, complete or not, latest first, without best and published ones.

    Args:
        work_dir: Work directory of the run. Its ``last_checkpoint`` may name a checkpoint in another folder, or one
            with a name of its own kind; then the others are there, or have such names, too.
    """
    text = _last_checkpoint(work_dir)
    places = [Path(work_dir), Path(text).parent] if text else [Path(work_dir)]
    folders = {folder.resolve() for folder in places if folder.is_dir()}
    shapes = {_shape(name) for name in ('epoch_1.pth', 'iter_1.pth', Path(text).name)}
    found = [path for folder in folders for path in folder.iterdir() if _shape(path.name) in shapes and path.is_file()]
    return sorted(found, key=lambda path: (path.stat().st_mtime, _number(path)), reverse=True)


def _shape(name: str) -> str:
    return re.sub(r'\d+', '#', name)


def _number(path: Path) -> int:
    """Return the last number in a file name: the epoch or iteration."""
    return int(re.findall(r'\d+', path.stem)[-1]) if re.search(r'\d', path.stem) else -1


def is_complete(path: Path) -> bool:
    """Return True unless a checkpoint in torch's format, a zip archive, lacks its end."""
    with path.open('rb') as file:
        start = file.read(2)
    return zipfile.is_zipfile(path) if start == b'PK' else start == b'\x80\x02'


def check_resumable(path: str) -> None:
    """Raise unless a path is that of a complete checkpoint.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is incomplete. The message names one that is complete, if there is one beside it.
    """
    file = Path(path)
    if file.is_file() and is_complete(file):
        return
    other = newest_checkpoint(file.parent, []) if file.parent.is_dir() else None
    hint = f'. The newest complete one there is {other}' if other is not None else ''
    if not file.is_file():
        raise FileNotFoundError(f'--resume must be a checkpoint, got {path}, which is missing{hint}')
    raise ValueError(f'--resume must be a complete checkpoint, got {path}, which lacks its end{hint}')


@contextmanager
def reserved(work_dir: str | Path, launcher: str) -> Iterator[None]:
    """Keep a work directory for this run as long as the block lasts. The first of several processes does that.

    Raises:
        RuntimeError: If another run trains in it.
    """
    if int(os.environ.get(_RANKS.get(launcher, ''), 0)) > 0:
        yield
        return
    message = f'work_dir must be a folder of this run alone, got {work_dir}, in which another run trains now. ' \
              '--work-dir names another one'
    with locked(Path(work_dir) / '.lock', _PATIENCE_SECONDS, message) as descriptor:
        try:
            yield
        finally:
            release(descriptor)  # else data loading processes that outlive the run hold it


def notice_of_earlier_run(work_dir: str | Path) -> str | None:
    """Return a warning if a run that starts anew would mix its checkpoints with those of an earlier one."""
    found = [*checkpoints(work_dir), *sorted(Path(work_dir).glob('best_*.pth'))]
    if not found:
        return None
    date = time.strftime('%Y-%m-%d %H:%M', time.localtime(found[0].stat().st_mtime))
    return (f'{work_dir} has {len(found)} checkpoints of an earlier run ({found[0].name}, {date}). This run starts '
            'anew and overwrites those of the same names. --resume continues the earlier run, --work-dir names '
            'another folder')


def _last_checkpoint(work_dir: str | Path) -> str:
    """Return what mmengine's file ``last_checkpoint`` names; empty if it is missing or empty."""
    file = Path(work_dir) / 'last_checkpoint'
    return file.read_text(encoding='utf-8', errors='replace').strip('\0 \n\r\t') if file.is_file() else ''

