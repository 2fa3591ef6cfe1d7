"""Print what is installed, what works with it, and the commands that fix what does not.

    mim run hrnet_plugin doctor                   everything that is installed
    python -m hrnet_plugin.tools.doctor           the same, where mim does not start
    mim run hrnet_plugin doctor --for mmdet       a missing or broken mmdet is an error

The exit code is 0 if nothing that is installed is broken, else 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from hrnet_plugin.doctor.collect import collect
from hrnet_plugin.doctor.facts import HOSTS
from hrnet_plugin.doctor.problems import find_problems
from hrnet_plugin.doctor.report import report


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--for', dest='wanted', nargs='+', default=[], choices=HOSTS, metavar='HOST',
                        help=f'hosts that must work: {", ".join(HOSTS)} (default: those that are installed)')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    print('Importing what is installed. This takes up to a minute.', file=sys.stderr, flush=True)
    facts = collect()
    problems = find_problems(facts, args.wanted)
    print(report(facts, problems, args.wanted))
    return int(any(problem.is_error for problem in problems))


if __name__ == '__main__':
    try:
        sys.exit(main())
    except (OSError, RuntimeError) as error:
        raise SystemExit(f'doctor: {error}') from None
