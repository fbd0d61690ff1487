"""Runs every check of the example `probe`, which lies in one directory with the other examples."""

import argparse
import sys
from pathlib import Path

import checks
import keywords  # noqa: F401  (registers its checks)
import names  # noqa: F401
import programs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", type=Path, nargs="?", default=programs.EXAMPLES, help="directory of the built examples (%(default)s)")
    parser.add_argument("--only", default="", metavar="REGEX", help="only the checks whose title matches")
    parser.add_argument("--list", action="store_true", help="print the titles and run nothing")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(one.title for one in checks.CHECKS))
        return 0
    programs.EXAMPLES = arguments.examples.resolve()
    return 0 if checks.run_all(arguments.only) else 1


if __name__ == "__main__":
    sys.exit(main())
