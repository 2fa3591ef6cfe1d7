"""Check the installation.

    hrnet doctor                     check all installed libraries
    hrnet doctor --for mmdet         report a missing mmdet as an error, too
    python -m hrnet_plugin doctor    the same, if hrnet is not on PATH

Prints each problem with a command that fixes it. The exit code is 0 if there
are no errors, else 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from hrnet_plugin.cli.diagnosis.collect import collect
from hrnet_plugin.cli.diagnosis.facts import HOSTS
from hrnet_plugin.cli.diagnosis.problems import find_problems
from hrnet_plugin.cli.diagnosis.report import report
from hrnet_plugin.cli.output import print_text
from hrnet_plugin.cli.parser import make_parser
from hrnet_plugin.cli.progress import progress


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = make_parser('doctor', __doc__)
    parser.add_argument('--for', dest='wanted', nargs='+', default=[], choices=HOSTS, metavar='HOST',
                        help=f'hosts that must work: {", ".join(HOSTS)} (default: those that are installed)')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    with progress('importing the installed libraries, up to a minute'):
        facts = collect()
    problems = find_problems(facts, args.wanted)
    print_text(report(facts, problems, args.wanted))
    return int(any(problem.is_error for problem in problems))
