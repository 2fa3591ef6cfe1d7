"""Command lines of the documents: extraction, canonical form and arguments."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from catalogue import CONFIG_FILES, index
from paths import ROOT

from hrnet_plugin.cli.commands import COMMANDS
from hrnet_plugin.derivation.host_configs import find_host_config
from hrnet_plugin.experiments.ablation import list_studies

DOCUMENTS = [ROOT / 'README.md', ROOT / 'CONTRIBUTING.md', *sorted((ROOT / 'docs').rglob('*.md')),
             *sorted((ROOT / 'configs').rglob('README.md')), ROOT / 'packages' / 'mmcv_ops' / 'README.md']
DETECTOR, SAMPLE = 'faster-rcnn_hrnetv2p-w18_1x_coco', 'faster-rcnn_hrnetv2p-w18-small-v1_sample'
# placeholder of the documents -> value with which its command line is parsed and run
PLACEHOLDERS = {'NAME': DETECTOR, 'NAME.py': f'{DETECTOR}.py', 'CONFIG': SAMPLE, 'CONFIG.py': f'{SAMPLE}.py',
                'A': SAMPLE, 'B': DETECTOR, 'PATH': 'path/to/config.py', 'PART': 'w40',
                'STUDY': 'pose_sample', 'FILE': 'model.pth', 'FOLDER': 'folder', 'H': '64', 'W': '64',
                'TOOL': 'config', 'COMMAND': 'config'}
# tests/test_tutorials.py runs all commands of these pages
TUTORIALS = [path for path in DOCUMENTS if path.parent.name == 'tutorials' and path.name != 'index.md']
# A Python file that a page shows has its name in the first line: '# mine/config.py'.
SHOWN_FILE = re.compile(r'^```python\n(# (\S+\.py)\n.*?)^```', re.S | re.M)
# configs of readers: any other name must be that of a shipped config
READERS_CONFIGS = {'mine.py', 'mine/config.py', 'path/to/config.py', 'path/to/other.py', 'test-dev.py',
                   'mine/retinanet_hrnetv2p-w18_1x_coco.py',
                   *(name for page in TUTORIALS for _, name in SHOWN_FILE.findall(page.read_text(encoding='utf-8')))}

_FENCE = re.compile(r'^```(\w*)\n(.*?)^```', re.S | re.M)
_PROGRAM = re.compile(r'(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?'
                      r'(?:hrnet|mim|make|python|pytest|pip|torchrun|mpirun|sbatch|sqlite3) ')
# inline code that names a command without its arguments
_MENTION = re.compile(r'hrnet [\w-]+|mim (?:train|test|run)(?: \w+)?|mim (?:download|search)|mim run hrnet_plugin \w+')

_MIM_OPTIONS = re.compile(r' --(?:gpus|gpus-per-node|partition|srun-args)[ =]\S+')


def command_lines(document: Path) -> Iterator[str]:
    """Yield the command lines of a document: those of its shell blocks, and those in inline code."""
    text = document.read_text(encoding='utf-8')
    for language, block in _FENCE.findall(text):
        if language in ('sh', 'bash', 'console') or (not language and _PROGRAM.match(block)):
            yield from joined_lines(block)
    for code in inline_code(text):
        if _PROGRAM.match(code) and not _MENTION.fullmatch(code):
            yield code


def mentions(document: Path) -> set[str]:
    """Return the commands that a document names without arguments."""
    codes = {code for code in inline_code(document.read_text(encoding='utf-8')) if _MENTION.fullmatch(code)}
    return {' '.join(PLACEHOLDERS.get(word, word) for word in code.split()) for code in codes}


def inline_code(text: str) -> list[str]:
    """Return the inline code of Markdown, each on one line."""
    paragraphs = re.split(r'\n\s*\n', _FENCE.sub('\n', text))
    return [' '.join(code.split()) for paragraph in paragraphs for code in re.findall(r'`([^`]+)`', paragraph)]


def joined_lines(block: str) -> Iterator[str]:
    """Yield the commands of a shell block without comments. A backslash or an open quote continues a line."""
    pending = ''
    for line in block.splitlines():
        pending += re.sub(r'(^|\s)# .*$', '', line).removeprefix('$ ')
        if pending.endswith('\\'):
            pending = pending[:-1]
        elif pending.count('"') % 2 or (pending.count("'") % 2 and '"' not in pending):
            pending += ' '
        else:
            if pending.strip():
                yield ' '.join(pending.split())
            pending = ''
    assert not pending.strip(), f'{pending!r} does not end'


def canonical(line: str) -> str:
    """Return a command line with ``hrnet SUBCOMMAND`` in place of the same by mim, ``python -m`` or a launcher."""
    line = re.sub(r'^mpirun .*(?=\bhrnet train )', '', line)
    tool = re.match(r'(?:mim run|(?:python|torchrun .*) -m) hrnet_plugin ([\w-]+)', line)
    return f'hrnet {tool[1].replace("_", "-")}{line[tool.end():]}' if tool else line


def arguments(line: str) -> list[str] | None:
    """Return the arguments of ``hrnet`` that a command line is equivalent to, with placeholders replaced.

    Returns:
        Subcommand and its arguments; None for another program.
    """
    line = re.sub(r'^mim (train|test) hrnet_plugin', r'hrnet \1', re.sub(_MIM_OPTIONS, '', canonical(line)))
    if not line.startswith('hrnet '):
        return None
    return [PLACEHOLDERS.get(word, word) for word in shlex.split(re.sub(r'[][]', '', line))[1:]]


def parse(words: list[str]) -> None:
    """Parse the arguments of ``hrnet`` and look up the configs and studies that they name.

    Raises:
        SystemExit: The parser refuses them; the code is 0 after ``--help``.
    """
    name, *rest = words
    if name.startswith('--'):
        raise SystemExit(int(name not in ('--help', '--version')))
    args = import_module(COMMANDS[name.replace('_', '-')]).parse_args([word for word in rest if word != '--debug'])
    configs = getattr(args, 'config', None) or []
    for config in [configs] if isinstance(configs, str) else configs:
        assert config in READERS_CONFIGS or Path(config).name.removesuffix('.py') in CONFIG_FILES, config
    if name == 'config':
        assert args.name in READERS_CONFIGS or any(args.name in known for known in CONFIG_FILES), args.name
    if name == 'derive':
        assert args.source == 'HOST::CONFIG' or find_host_config(args.source).path.is_file()
    if name == 'ablate':
        assert args.study in {None, *READERS_CONFIGS, *list_studies()}, args.study


def check_other_program(line: str) -> None:
    """Check files, options, targets and names of a command line of another program, as far as the checkout has them."""
    words = [word for word in shlex.split(re.sub(r'[][]', '', line)) if not re.match(r'[A-Z_]+=', word)]
    if words[:2] == ['mim', 'download']:
        assert words[-1] == 'NAME' or index()[words[-1]]['Weights']
    elif words[0] == 'mim':
        assert words[2] in ('hrnet_plugin', 'mmdet', 'mmpose', 'mmseg', 'mmpretrain')
    elif words[0] == 'make' and shutil.which('make'):
        environment = {key: value for key, value in os.environ.items() if not key.startswith('MAKE')}
        subprocess.run(['make', '--dry-run', *shlex.split(line)[1:]], cwd=ROOT, env=environment, check=True,
                       stdout=subprocess.DEVNULL)
    elif words[0] == 'python' and words[1] not in READERS_CONFIGS:
        script = (ROOT / words[1]).read_text(encoding='utf-8')
        assert [word for word in words[2:] if word.startswith('--') and f"'{word}'" not in script] == []
    elif words[0].endswith('pytest'):
        assert [word for word in words[1:] if '/' in word and not (ROOT / word).exists()] == []
