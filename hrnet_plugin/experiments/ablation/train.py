"""Script of one run: resume or start the training of a config, then evaluate the final model once."""

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


def exit_with_parent(parent: int) -> None:
    """Exit this process when its parent process has ended.

    Args:
        parent: Process ID of the parent.
    """
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
    exit_with_parent(os.getppid())
    config = Config.fromfile(args.config)
    config.work_dir = args.work_dir
    config.launcher = 'none'
    notices = resume(config)
    save_atomically(config)
    # evaluated below: after a kill between last checkpoint and evaluation, the training loop would not evaluate
    config.train_cfg.val_begin = _NEVER
    runner = HRNetRunner.from_cfg(config)
    for notice in notices:
        runner.logger.warning(notice)
    runner.train()
    runner.val()


if __name__ == '__main__':
    main()
