"""Prose of Python files, Markdown files and notebooks, for the language check."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterator
from typing import NamedTuple

HIDDEN = '\0'
_CODE = re.compile(r'''``.+?``|(?::\w+:)?`[^`]+`      # code and roles
                       |(?<=\])\([^)\s]*\)            # targets of links
                       |https?://\S+|%\(\w+\)s
                       |(?<![\w-])--?[A-Za-z][\w-]*   # options
                       |\w*[A-Za-z]_\w*               # names
                       |[\w./*-]+\.(?:cfg|csv|html|json|md|pth|py|sqlite|toml|txt|yml)\b''', re.S | re.X)
_ENTRIES = ('Args', 'Attributes', 'Raises')
_SECTIONS = (*_ENTRIES, 'Example', 'Examples', 'Note', 'Returns', 'Yields')
_ENTRY = re.compile(r'\*{0,2}[\w.]+(?:, \*{0,2}[\w.]+)*(?: \([^)]*\))?:(?= |$)')
_BULLET = re.compile(r'(?:[-*]|\d+\.) +')
_NO_PROSE = re.compile(r'#(?:!| *(?:noqa|type:|pragma|-\*-))')
_HELP = ('help', 'description', 'epilog')

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module


class Segment(NamedTuple):
    """Paragraph, list item or other unit of prose.

    Attributes:
        line: Number of its first line in the file.
        text: Prose. Line breaks are those of the file.
        kind: 'docstring', 'entry' (of Args, Attributes or Raises), 'help', 'comment', 'message', 'markdown', 'heading'
            or 'table'. For the first line of a docstring: 'function', 'property', 'class', 'module' or 'command'.
    """

    line: int
    text: str
    kind: str


class Line(NamedTuple):
    """Line of a block of text, with its role."""

    number: int
    text: str
    kind: str
    starts: bool = False


def hide_code(text: str) -> str:
    """Replace code, links and options by as many NUL characters."""
    return _CODE.sub(lambda match: re.sub(r'[^\n]', HIDDEN, match.group()), text)


def join(lines: Iterator[Line | None]) -> Iterator[Segment]:
    """Join lines to segments. None separates two of them, as does a line that starts one."""
    block: list[Line] = []
    for line in lines:
        if block and (line is None or line.starts or line.kind != block[0].kind):
            yield _segment(block)
            block = []
        if line is not None:
            block.append(line)
    if block:
        yield _segment(block)


def _segment(block: list[Line]) -> Segment:
    return Segment(block[0].number, '\n'.join(line.text for line in block), block[0].kind)


def read_markdown(source: str) -> Iterator[Segment]:
    """Yield the prose of a Markdown file."""
    return join(_markdown_lines(source))


def read_notebook(source: str) -> Iterator[Segment]:
    """Yield the prose of a Jupyter notebook. Line numbers are those of the JSON file if it has one string per line."""
    line = 1
    rows = source.split('\n')
    for cell in json.loads(source)['cells']:
        text = ''.join(cell['source'])
        first = json.dumps(text.split('\n')[0], ensure_ascii=False)[1:-1]
        line = next((number for number, row in enumerate(rows[line - 1:], line) if first and first in row), line)
        read = read_markdown if cell['cell_type'] == 'markdown' else read_python if _is_python(text) else None
        if read is not None:
            yield from (segment._replace(line=segment.line + line - 1) for segment in read(text))


def _is_python(text: str) -> bool:
    return not text.lstrip().startswith(('%', '!'))


def _markdown_lines(source: str) -> Iterator[Line | None]:
    fenced = in_list = False
    blank = True
    for number, line in enumerate(source.split('\n'), 1):
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if text.startswith(('```', '~~~')):
            fenced = not fenced
            yield None
        elif fenced or text.startswith('<') or not text or (blank and indent >= 4 and not in_list):
            yield None
        elif text.startswith(('|', '#')):
            yield Line(number, text, 'table' if text.startswith('|') else 'heading', starts=True)
        else:
            bullet = _BULLET.match(text)
            in_list = bool(bullet) or (in_list and (indent > 0 or not blank))
            yield Line(number, text[bullet.end():] if bullet else text, 'markdown', starts=bool(bullet))
        blank = not text


def read_python(source: str) -> Iterator[Segment]:
    """Yield docstrings and their first lines, help texts, error messages and comments of a Python file."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, Documented):
            yield from _docstring(node)
        elif isinstance(node, ast.Call):
            texts = [keyword.value for keyword in node.keywords if keyword.arg in _HELP]
            yield from (Segment(text.lineno, _literal(text), 'help') for text in texts)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            yield from (Segment(text.lineno, _literal(text), 'message') for text in node.exc.args)
    yield from join(_comment_lines(source))


def _literal(node: ast.expr) -> str:
    """Return the text of a string or f-string, or '' for another expression."""
    if isinstance(node, ast.JoinedStr):
        return ''.join(_literal(part) or HIDDEN for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ''


def _docstring(node: Documented) -> Iterator[Segment]:
    if not node.body or not isinstance(node.body[0], ast.Expr) or not _literal(node.body[0].value):
        return
    first, margin = node.body[0].lineno, ' ' * node.body[0].col_offset
    lines = [line.removeprefix(margin).rstrip() for line in _literal(node.body[0].value).split('\n')]
    yield Segment(first, lines[0].strip(), _kind(node))
    yield from join(_docstring_lines(lines, first))


def _kind(node: Documented) -> str:
    if isinstance(node, ast.Module):
        return 'command' if any(getattr(child, 'name', '') == 'main' for child in node.body) else 'module'
    if isinstance(node, ast.ClassDef):
        return 'class'
    is_property = any('property' in ast.unparse(decorator) for decorator in node.decorator_list)
    return 'property' if is_property else 'function'


def _docstring_lines(lines: list[str], first: int) -> Iterator[Line | None]:
    section, kind, code, blank = '', 'docstring', False, False
    for number, line in enumerate(lines, first):
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if indent == 0 and text:
            section = text[:-1] if text.endswith(':') and text[:-1] in _SECTIONS else ''
            kind = 'docstring'
        code = text.startswith('>>>') or (code and bool(text)) or (blank and indent >= 4 and not section)
        blank = not text
        if blank or code or text == f'{section}:' or section.startswith('Example'):
            yield None
            continue
        bullet = _BULLET.match(text)
        start = bullet or (_ENTRY.match(text) if section in _ENTRIES and indent == 4 else None)
        if start:
            kind = 'docstring' if bullet else 'entry'
        yield Line(number, text[start.end():].strip() if start else text, kind, starts=bool(start))


def _comment_lines(source: str) -> Iterator[Line | None]:
    last = (0, -1)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type != tokenize.COMMENT or _NO_PROSE.match(token.string):
            continue
        row, column = token.start
        alone = not token.line[:column].strip()
        goes_on = alone and last == (row - 1, column)
        yield Line(row, token.string.lstrip('#: ').rstrip(), 'comment', starts=not goes_on)
        last = (row, column if alone else -1)
