"""Sphinx extension for links to files of the repository that are not pages.

A page links to ``../../configs/fcn/README.md`` as on a forge. The site has a copy of the file, which the link
downloads. A link to a folder becomes plain text.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sphinx.addnodes import download_reference, pending_xref
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform


class RepositoryFiles(SphinxTransform):
    """Transform that makes downloads of links to files outside the source folder."""

    default_priority = 5  # before Sphinx collects downloads

    def apply(self, **kwargs: Any) -> None:
        """Replace the links of one page."""
        for node in list(self.document.findall(pending_xref)):
            if node.get('reftype') == 'myst':
                self._replace(node)

    def _replace(self, node: pending_xref) -> None:
        folder = Path(self.env.doc2path(self.env.docname)).parent
        target = node['reftarget'].partition('#')[0]
        # MyST takes any Markdown file for a page, and names one by its path without suffix, from the source folder on
        path = Path(self.env.srcdir, f'{target}.md') if node.get('refdomain') == 'doc' else folder / target
        path = path.resolve()
        if path.is_relative_to(self.env.srcdir):
            return
        if path.is_dir():
            node.replace_self(node.children)
        elif path.is_file():
            node.replace_self(download_reference('', '', *node.children, refdoc=self.env.docname,
                                                 reftarget=os.path.relpath(path, folder), classes=['xref', 'download']))


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the transform."""
    app.add_transform(RepositoryFiles)
    return {'parallel_read_safe': True, 'parallel_write_safe': True}
