"""Escapes of foreign text, one per output format: terminals, Markdown, CSV and plots of matplotlib.

File names, class names, checkpoint keys and the rows of stores may come from anyone. The HTML page needs no function
here: its scripts set ``textContent``, and its data are JSON without ``<``.
"""

from __future__ import annotations

import re
import unicodedata

# control, format and surrogate characters, and separators of lines and paragraphs
_INVISIBLE = frozenset(('Cc', 'Cf', 'Cs', 'Zl', 'Zp'))
_JOINERS = '\u200c\u200d'  # Persian words and emoji require them
_SUSPECTS = re.compile('[^ -~]')  # printable ASCII is quick to skip
# CommonMark has no emphasis by underscores in words, and entities end with a semicolon
_MARKDOWN = re.compile(r'[\\`*{\[<|~$#]|(?<![^\W_])_|_(?![^\W_])|&(?=#|[a-zA-Z][a-zA-Z0-9]*;)|(?<=[wW]{3})\.|:(?=//)')
# GitHub links e-mail addresses, whose last label ends in a letter, and names of users after it has removed backslashes
_ADDRESS = re.compile(r'@(?=[\w@.\\-]*\.[\w@.\\-]*[a-zA-Z])|(?<!\w)@(?=\w)')
_MAX_LABEL = 120  # characters; longer ones leave no space for the plot, and millions of them do not fit an image
# East Asian versions of Excel also accept the signs in full width
_SIGN, _PREFIX = r'[+\-\uff0b\uff0d]', r'[=@\uff1d\uff20]'
_WORDS = r'\s*[^\W\d_]\w*(?:\s+[^\W\d_]\w*)*\s*(?:;|$)'
# A semicolon separates cells where a comma is the decimal sign. Quotes after a comma do not matter there, and the next
# cell continues a number. After a semicolon, only a sign before words is no formula.
_FORMULA = re.compile(rf'^(?=\s*{_PREFIX}|(?!-\Z)\s*{_SIGN}|[\t\r\n])|'
                      rf'(?<=;)(?=[\s"]*(?:{_PREFIX}|{_SIGN}(?!{_WORDS}))|[\t\r\n])')
_LINE_BREAK = re.compile('[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]')


def escape_controls(text: str, keep: str = '') -> str:
    r"""Escape the characters that change a terminal or the order of text instead of being shown.

    These are escape sequences, line breaks and controls of the text direction. They become ``\x1b``, ``\n``,
    ``\u202e`` and the like, as in ``repr``.

    Args:
        text: Text of any origin.
        keep: Characters that stay, e.g. ``'\n'`` for a text of several lines.
    """
    return _SUSPECTS.sub(lambda found: _escape_control(found[0], keep), text)


def _escape_control(character: str, keep: str) -> str:
    if character in keep or character in _JOINERS or unicodedata.category(character) not in _INVISIBLE:
        return character
    return character.encode('unicode_escape').decode('ascii')


def shorten(text: str, length: int = 100) -> str:
    r"""Shorten a text for a message, and escape its control characters.

    >>> shorten('conv1\x1b[31m\n')
    'conv1\\x1b[31m\\n'

    Args:
        text: Text of any origin, e.g. a state-dict key.
        length: Maximum number of characters of the text, without escapes. Default: 100.
    """
    return escape_controls(text if len(text) <= length else f'{text[:length - 3]}...')


def escape_markdown(text: str) -> str:
    """Escape a text for a table cell, a heading or the middle of a paragraph in Markdown.

    The result has no elements or entities, and no web or e-mail addresses that GitHub turns into links. Its only HTML
    are empty comments in e-mail addresses. White space becomes single spaces.

    Args:
        text: Text of any origin.
    """
    escaped = _MARKDOWN.sub(r'\\\g<0>', escape_controls(' '.join(text.split())))
    return _ADDRESS.sub('@<!-- -->', escaped)


def escape_csv(text: str) -> str:
    """Escape a text for a cell of a CSV file, so that no spreadsheet runs it as a formula.

    A text that begins like a formula gets an apostrophe in front, as OWASP recommends against CSV injection. So does
    a formula after a semicolon. A single ``-`` is unchanged, as it stands for a missing value. Line breaks become
    spaces, because readers of CSV files may end the row at them.

    Args:
        text: Text of any origin. Quotes and commas are left to the writer.
    """
    return escape_controls(_LINE_BREAK.sub(' ', _FORMULA.sub("'", text)), keep='\t')


def escape_plot(text: str) -> str:
    """Escape a text for a title or label of matplotlib, which would parse dollar signs as mathematics.

    Args:
        text: Text of any origin. It is shortened to the length of a label.
    """
    escaped = shorten(text, _MAX_LABEL).replace('$', r'\$')
    return f' {escaped}' if escaped.startswith('_') else escaped  # matplotlib hides such names from legends
