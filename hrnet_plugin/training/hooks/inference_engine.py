"""Hook that runs validation and testing with an inference engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmengine.hooks import Hook

from hrnet_plugin.checks import check_choice, check_int
from hrnet_plugin.execution.inference import ENGINES, optimizable_parts, optimize_for_inference, restore_eager
from hrnet_plugin.registry import HOOKS

if TYPE_CHECKING:
    from mmengine.runner import Runner


@HOOKS.register_module(name=['InferenceEngineHook', 'FastFormHook'])
class InferenceEngineHook(Hook):
    """Hook that uses an inference engine for validation and testing, and the eager model for training.

    ``--cfg-options default_hooks.engine.type=hrnet_plugin.InferenceEngineHook`` enables it for any config.

    Args:
        engine: Name of the engine. See :func:`hrnet_plugin.optimize_for_inference`. Default: 'auto'.
        max_graphs: On GPUs, maximum number of input shapes per module with a CUDA graph. 0 for none. Default: 8.
    """

    def __init__(self, engine: str = 'auto', max_graphs: int = 8) -> None:
        check_choice('engine', engine, ENGINES)
        check_int('max_graphs', max_graphs, 0)
        self.engine, self.max_graphs = engine, max_graphs

    def before_run(self, runner: Runner) -> None:
        """Check before training that an engine can run the model.

        Raises:
            ValueError: If the model has no module of this package.
        """
        optimizable_parts(runner.model)

    def before_val(self, runner: Runner) -> None:
        optimize_for_inference(runner.model, self.engine, max_graphs=self.max_graphs)

    def after_val(self, runner: Runner) -> None:
        restore_eager(runner.model)

    def before_test(self, runner: Runner) -> None:
        optimize_for_inference(runner.model, self.engine, max_graphs=self.max_graphs)

    def after_test(self, runner: Runner) -> None:
        restore_eager(runner.model)
