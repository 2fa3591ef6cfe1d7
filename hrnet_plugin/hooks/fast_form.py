"""Evaluations run a model's fast form."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook

from hrnet_plugin.checks import check_int
from hrnet_plugin.registry import HOOKS
from hrnet_plugin.runtime import make_fast, make_plain
from hrnet_plugin.runtime.form import fast_parts


@HOOKS.register_module()
class FastFormHook(Hook):
    """Turns the model into its fast form for validation and testing, and back afterwards.

    Turned on for any config by ``--cfg-options default_hooks.fast_form.type=hrnet_plugin.FastFormHook``.

    Args:
        max_graphs: On GPUs, how many shapes of the input each part of the model keeps a CUDA graph for; 0 for none.
    """

    def __init__(self, max_graphs: int = 8) -> None:
        check_int('max_graphs', max_graphs, 0)
        self.max_graphs = max_graphs

    def before_run(self, runner: Any) -> None:
        """Refuse a model without a fast form before anything is trained.

        Raises:
            ValueError: If it has no part of this package.
        """
        fast_parts(runner.model)

    def before_val(self, runner: Any) -> None:
        make_fast(runner.model, self.max_graphs)

    def after_val(self, runner: Any) -> None:
        make_plain(runner.model)

    def before_test(self, runner: Any) -> None:
        make_fast(runner.model, self.max_graphs)

    def after_test(self, runner: Any) -> None:
        make_plain(runner.model)
