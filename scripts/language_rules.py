"""Rules of the language check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from language_text import HIDDEN, Segment, hide_code
from language_words import DANGLING, DETERMINERS, ENTRY_OPENERS, PATTERNS, VERBS

RULES = ('first-line', 'entry', 'sentence-length', 'parentheses', 'semicolons', 'word', 'rhetoric', 'spelling')
MAX_WORDS = {'docstring': 25, 'entry': 25, 'help': 25, 'markdown': 30}
FIRST_LINES = ('function', 'property', 'class', 'module', 'command')

_END = re.compile(r'''(?<!\be\.g)(?<!\bi\.e)(?<!\bvs)(?<!\bcf)[.!?]["')\]*]*(?=\s|$)''')
_WORD = re.compile(rf'[^\s]*[\w{HIDDEN}][^\s]*')
_CALL_OR_SHAPE = re.compile(r'(?<=\w)\([^()]*\)|\([A-Z0-9*/+ ]+(?:,\s*[A-Z0-9*/+ ]+)*,?\s*\)')
_ENTRY_OPENER = re.compile(rf'(?:{"|".join(sorted(ENTRY_OPENERS))})\b', re.I)
_PREDICATE = re.compile(r'(?:(?:an?|the) )?[\w-]+ (?:are|can|has|have|is|may|must|sees|takes|was|were|will)\b', re.I)
_PATTERNS = tuple((rule, re.compile(pattern.replace(' ', r'\s'), re.I), advice) for rule, pattern, advice in PATTERNS)


class Finding(NamedTuple):
    """Place that breaks a rule.

    Attributes:
        line: Line number in the file.
        rule: One of ``RULES``.
        message: Change to make.
        excerpt: Sentence, on one line, which exceptions are compared with.
    """

    line: int
    rule: str
    message: str
    excerpt: str


def check_segment(segment: Segment) -> Iterator[Finding]:
    """Yield the findings in a segment."""
    if segment.kind in FIRST_LINES:
        message = check_first_line(segment.text, segment.kind)
        if message:
            yield Finding(segment.line, 'first-line', message, segment.text)
        return
    hidden = hide_code(segment.text)
    if segment.kind == 'entry' and (opener := _ENTRY_OPENER.match(hidden)):
        yield Finding(segment.line, 'entry', f'must say what the value is, not begin with {opener.group()}: '
                      f'"{_shorten(segment.text)}"', ' '.join(segment.text.split()))
    for begin, end in split_sentences(hidden):
        line = segment.line + hidden.count('\n', 0, begin)
        excerpt = ' '.join(segment.text[begin:end].split())
        for offset, rule, message in check_sentence(hidden[begin:end], segment.kind):
            yield Finding(line + hidden.count('\n', begin, begin + offset), rule, message, excerpt)


def split_sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each sentence begins and ends."""
    begin = 0
    for end in [*(match.end() for match in _END.finditer(text)), len(text)]:
        sentence = text[begin:end]
        if sentence.strip():
            yield begin + len(sentence) - len(sentence.lstrip()), end
        begin = end


def check_sentence(sentence: str, kind: str) -> Iterator[tuple[int, str, str]]:
    """Yield offset, rule and message of each finding in a sentence whose code is hidden."""
    if kind in MAX_WORDS:
        yield from check_shape(sentence, MAX_WORDS[kind])
    for rule, pattern, advice in _PATTERNS:
        for match in pattern.finditer(sentence):
            yield match.start(), rule, f'"{" ".join(match.group().split())}": {advice}'


def check_shape(sentence: str, most: int) -> Iterator[tuple[int, str, str]]:
    """Yield offset, rule and message where a sentence is too long or too nested."""
    words = len(_WORD.findall(sentence))
    if words > most:
        yield 0, 'sentence-length', f'{words} words, at most {most}: "{_shorten(sentence)}"'
    nested = find_nested(sentence)
    if nested >= 0:
        yield nested, 'parentheses', f'nested parentheses: "{_shorten(sentence[nested:])}"'
    if sentence.count(';') > 1:
        yield 0, 'semicolons', f'{sentence.count(";")} semicolons, at most 1: "{_shorten(sentence)}"'


def find_nested(sentence: str) -> int:
    """Return the offset of the first parenthesis within another, or -1. Calls and shapes do not count."""
    plain = _CALL_OR_SHAPE.sub(lambda match: HIDDEN * len(match.group()), sentence)
    depth = 0
    for offset, character in enumerate(plain):
        depth = max(0, depth + (character == '(') - (character == ')'))
        if depth > 1:
            return offset
    return -1


def check_first_line(text: str, kind: str) -> str:
    """Return what is wrong with the first line of a docstring, or ''."""
    words = re.findall(r"[\w'`*~:.-]+", text.lower()) or ['']
    if words[0].endswith('ly') and words[0] not in VERBS and len(words) > 1:
        words = words[1:]
    wrong = _check_imperative(words) if kind == 'function' else _check_noun_phrase(words, text, kind)
    if wrong:
        return f'{wrong}: "{_shorten(text)}"'
    return '' if re.search(r'[.:!][\'")`]*$', text) else f'must end a statement: "{_shorten(text)}"'


def _check_imperative(words: list[str]) -> str:
    verb = words[0].rstrip('.:')
    wrong = 'must begin with an imperative verb'
    if verb in VERBS or words[1:2] == ['of']:
        return f'{wrong}, not a noun' if words[1:2] == ['of'] else ''
    base = next((verb.removesuffix(end) for end in ('s', 'es') if verb.removesuffix(end) in VERBS), '')
    return wrong + (f', such as {base.capitalize()}' if base else '')


def _check_noun_phrase(words: list[str], text: str, kind: str) -> str:
    if words[0] in DANGLING:
        return f'must be a noun phrase, not begin with {words[0].capitalize()}'
    if _PREDICATE.match(text):
        return 'must be a noun phrase, not a statement'
    if kind in ('class', 'module') and words[0] in VERBS and words[1:2] and words[1] in DETERMINERS:
        return 'must be a noun phrase, not an imperative'
    return ''


def _shorten(text: str) -> str:
    words = ' '.join(re.sub(f'{HIDDEN}+', '`...`', text).split())
    return words if len(words) <= 60 else f'{words[:57]}...'
