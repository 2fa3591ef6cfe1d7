"""Version and origin of the operators, readable without importing torch."""

__version__ = '0.1.0'
ORIGIN = f'mmcv_torch_ops {__version__}'
