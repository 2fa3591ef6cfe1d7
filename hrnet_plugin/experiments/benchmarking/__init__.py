"""Measuring networks side by side: time, memory, operators, and what the machine could do."""

from hrnet_plugin.evaluation.environment import describe
from hrnet_plugin.experiments.benchmarking.jobs import run_mim
from hrnet_plugin.experiments.benchmarking.machine import Machine, conv_rate, probe
from hrnet_plugin.experiments.benchmarking.measure import in_turns, measure
from hrnet_plugin.experiments.benchmarking.memory import kept_bytes, peak_bytes
from hrnet_plugin.experiments.benchmarking.networks import network, random_weights, upstream_extra

__all__ = [
    'Machine', 'conv_rate', 'describe', 'in_turns', 'kept_bytes', 'measure', 'network', 'peak_bytes', 'probe',
    'random_weights', 'run_mim', 'upstream_extra'
]
