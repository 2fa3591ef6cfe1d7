"""Adapters that turn whole models of the hosts into functions of tensors, one per family of heads."""
