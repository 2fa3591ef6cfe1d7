"""Sphinx configuration of the documentation. `make docs` builds it into build/docs."""

import hashlib
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / 'docs' / '_extensions')]  # the working tree, not the installed copy
# for the notebooks
os.environ['PYTHONPATH'] = str(ROOT)
os.environ['PATH'] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get('PATH', '')])

from hrnet_plugin.version import __version__  # noqa: E402


def _digest(folder: Path) -> str:
    """Return a digest of all Python files in a folder."""
    files = sorted(folder.rglob('*.py'))
    return hashlib.sha256(b'\0'.join(path.read_bytes() for path in files)).hexdigest()[:16]


project = 'hrnet_plugin'
author = 'hrnet_plugin contributors'
project_copyright = author
version = release = __version__

extensions = [
    'myst_nb', 'sphinx.ext.autodoc', 'sphinx.ext.napoleon', 'sphinx.ext.viewcode', 'sphinx_copybutton',
    'repository_files', 'docstrings']
templates_path = []
exclude_patterns = ['_extensions', '_static']
pygments_style = 'default'
show_warning_types = True
toc_object_entries_show_parents = 'hide'
smartquotes = False  # strings in the text can be copied

# Pages
myst_heading_anchors = 4
myst_enable_extensions = ['deflist']

# Notebooks run in an empty folder. Their results are kept until a notebook or the package changes.
nb_execution_mode = 'cache'
nb_execution_cache_path = str(ROOT / 'build' / 'notebooks' / _digest(ROOT / 'hrnet_plugin'))
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True
nb_output_stderr = 'remove'  # warnings that depend on the machine; errors stop the build

# Docstrings
autodoc_default_options = {'members': True, 'member-order': 'bysource'}
autodoc_inherit_docstrings = False
autodoc_typehints = 'description'
autodoc_typehints_description_target = 'documented_params'
autodoc_preserve_defaults = True
# docutils would take the end of 'numpy.bool_' for a reference
autodoc_type_aliases = {'Bools': 'numpy.ndarray'}
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

copybutton_prompt_text = r'>>> |\.\.\. |\$ '
copybutton_prompt_is_regexp = True

html_theme = 'pydata_sphinx_theme'
html_static_path = ['_static']
html_css_files = ['site.css']
html_title = f'{project} {release}'
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    'navbar_align': 'left',
    'navigation_with_keys': False,
    'show_toc_level': 2,
    'secondary_sidebar_items': ['page-toc'],
    'footer_start': ['copyright'],
    'footer_end': [],
}
html_sidebars = {'index': []}
