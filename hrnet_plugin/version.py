"""Version of the package, in a module of its own so that setuptools can read it without imports."""

__version__ = '0.1.0'
