"""Atomic writes of files and folders, and lock files.

Every output of this package is written by :func:`atomic_write`, :func:`atomic_writes` or :func:`atomic_folder`. The
content goes to a scratch file in the folder of the target, is flushed to disk, and is then renamed. The scratch files
of killed processes are removed by the next write to the folder. Files that cannot be replaced are overwritten in place.
"""

from hrnet_plugin.files.locks import file_lock as file_lock
from hrnet_plugin.files.locks import release_lock as release_lock
from hrnet_plugin.files.scratch import is_empty_folder as is_empty_folder
from hrnet_plugin.files.write import atomic_folder as atomic_folder
from hrnet_plugin.files.write import atomic_write as atomic_write
from hrnet_plugin.files.write import atomic_writes as atomic_writes
from hrnet_plugin.files.write import naming_disk_errors as naming_disk_errors
