"""Memory and handles of this process. Linux with glibc only."""

from __future__ import annotations

import ctypes
import gc
import os
from dataclasses import dataclass
from pathlib import Path

_MB = 1e6
_LIBC = ctypes.CDLL(None)


class _MallocInfo(ctypes.Structure):
    """``struct mallinfo2`` of glibc, with the fields that are read."""
    _fields_ = [(name, ctypes.c_size_t) for name in (
        'arena', 'ordblks', 'smblks', 'hblks', 'hblkhd', 'usmblks', 'fsmblks', 'uordblks', 'fordblks', 'keepcost')]


_LIBC.mallinfo2.restype = _MallocInfo


@dataclass(frozen=True)
class ProcessMemory:
    """Memory and handles.

    Attributes:
        resident: Resident memory in MB, without pages that malloc has free and can return.
        allocated: Memory in MB that malloc has given out, of Python and of native libraries.
        objects: Number of Python objects that the garbage collector tracks.
        descriptors: Number of open file descriptors.
        threads: Number of threads.
    """
    resident: float
    allocated: float
    objects: int
    descriptors: int
    threads: int


def resident_memory() -> float:
    """Return the resident memory in MB."""
    return int(Path('/proc/self/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE') / _MB


def measure_memory() -> ProcessMemory:
    """Collect garbage, return free pages to the system, and measure."""
    gc.collect()
    _LIBC.malloc_trim(0)
    info = _LIBC.mallinfo2()
    return ProcessMemory(resident_memory(), (info.uordblks + info.hblkhd) / _MB, len(gc.get_objects()),
                         len(os.listdir('/proc/self/fd')), len(os.listdir('/proc/self/task')))
