"""What training with mixed precision needs beside mmengine's own."""

from hrnet_plugin.optim.bfloat16 import BFloat16OptimWrapper

__all__ = ['BFloat16OptimWrapper']
