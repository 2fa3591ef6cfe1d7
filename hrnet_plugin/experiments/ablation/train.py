"""The process of one run: trains a config from where it was interrupted, then evaluates it once."""

from __future__ import annotations

import argparse
import os
import threading
import time
from collections.abc import Sequence

from mmengine.config import Config

from hrnet_plugin.training.run_config import resume, save_atomically
from hrnet_plugin.training.runner import HRNetRunner

_NEVER = 10**9


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
    notices = resume(config)
    save_atomically(config)
    # evaluated below: the loop would not, if the run was killed between its last checkpoint and the evaluation
    config.train_cfg.val_begin = _NEVER
    runner = HRNetRunner.from_cfg(config)
    for notice in notices:
        runner.logger.warning(notice)
    runner.train()
    runner.val()


if __name__ == '__main__':
    main()
