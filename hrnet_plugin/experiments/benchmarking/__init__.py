"""Comparison of networks by time, memory and operators, and the peak rates of the machine."""

from hrnet_plugin.evaluation.environment import describe
from hrnet_plugin.experiments.benchmarking.jobs import run_mim
from hrnet_plugin.experiments.benchmarking.machine import Machine, conv_rate, measure_machine
from hrnet_plugin.experiments.benchmarking.measure import measure, time_interleaved
from hrnet_plugin.experiments.benchmarking.memory import peak_bytes, saved_bytes
from hrnet_plugin.experiments.benchmarking.networks import network, random_weights, upstream_extra

__all__ = [
    'Machine', 'conv_rate', 'describe', 'measure', 'measure_machine', 'network', 'peak_bytes', 'random_weights',
    'run_mim', 'saved_bytes', 'time_interleaved', 'upstream_extra'
]
