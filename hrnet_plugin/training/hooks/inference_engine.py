"""Hook that runs validation and testing with an inference engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mmengine.hooks import Hook

from hrnet_plugin.checks import check_bool, check_choice, check_int
from hrnet_plugin.execution.engines import ENGINES
from hrnet_plugin.execution.inference import optimizable_parts, optimize_for_inference, restore_eager
from hrnet_plugin.registry import HOOKS

if TYPE_CHECKING:
    from mmengine.runner import Runner
    from torch import nn
    from torch.utils.data import DataLoader


@HOOKS.register_module(name=['InferenceEngineHook', 'FastFormHook'])
class InferenceEngineHook(Hook):
    """Hook that uses an inference engine for validation and testing, and the eager model for training.

    ``--cfg-options default_hooks.engine.type=hrnet_plugin.InferenceEngineHook`` enables it for any config.

    Args:
        engine: Name of the engine. See :func:`hrnet_plugin.optimize_for_inference`. Default: 'auto'.
        max_graphs: On GPUs, maximum number of input shapes per module with a CUDA graph. 0 for none. Default: 8.
        use_cache: Whether tests store exported models on disk and read them from there. Validation during training does
            neither, because the weights change. Default: True.
    """

    def __init__(self, engine: str = 'auto', max_graphs: int = 8, use_cache: bool = True) -> None:
        check_choice('engine', engine, ENGINES)
        check_int('max_graphs', max_graphs, 0)
        self.engine, self.max_graphs = engine, max_graphs
        self.use_cache = check_bool('use_cache', use_cache)

    def before_run(self, runner: Runner) -> None:
        """Check before training that an engine can run the model.

        Raises:
            ValueError: If the model has no module of this package.
        """
        optimizable_parts(runner.model)

    def before_val(self, runner: Runner) -> None:
        self._optimize(runner.model, runner.val_dataloader, use_cache=False)

    def after_val(self, runner: Runner) -> None:
        restore_eager(runner.model)

    def before_test(self, runner: Runner) -> None:
        self._optimize(runner.model, runner.test_dataloader, self.use_cache)

    def after_test(self, runner: Runner) -> None:
        restore_eager(runner.model)

    def _optimize(self, model: nn.Module, loader: DataLoader[Any], use_cache: bool) -> None:
        dataset: Any = loader.dataset
        optimize_for_inference(model, self.engine, expected_images=len(dataset), max_graphs=self.max_graphs,
                               use_cache=use_cache)
