"""The process of one run: trains a config from where it was interrupted, then evaluates it once."""

from __future__ import annotations

import argparse
import os
import threading
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

_NEVER = 10**9


def resume(config: Config) -> None:
    """Have a config go on from the newest whole checkpoint in its work directory, or start where there is none.

    What says which is the last one may name one that is gone, or half written, where a run was killed while it saved;
    so the files are looked at, and two are kept.
    """
    found = sorted(Path(config.work_dir).glob('*_*.pth'), key=lambda path: path.stat().st_mtime, reverse=True)
    whole = next((path for path in found if zipfile.is_zipfile(path)), None)
    config.default_hooks.checkpoint.max_keep_ckpts = 2
    if whole is not None:
        config.resume, config.load_from = True, str(whole)


def end_with_parent(parent: int) -> None:
    """End this process soon after the one that has started it, however that ended."""
    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument('work_dir')
    args = parser.parse_args(argv)
    end_with_parent(os.getppid())
    config = Config.fromfile(args.config)
    config.work_dir = args.work_dir
    config.launcher = 'none'
    resume(config)
    # evaluated below: the loop would not, if the run was killed between its last checkpoint and the evaluation
    config.train_cfg.val_begin = _NEVER
    runner = Runner.from_cfg(config)
    runner.train()
    runner.val()


if __name__ == '__main__':
    main()
