"""Runs every check of the example `receive` against mail clients, and writes the table of what they have delivered."""

import argparse
import sys
from pathlib import Path

import broken  # noqa: F401  (registers its checks)
import calls  # noqa: F401
import checks
import clients
import idle  # noqa: F401
import letters  # noqa: F401
import matrix  # noqa: F401
import programs
import relays  # noqa: F401
import slow  # noqa: F401
import table


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("examples", type=Path, nargs="?", default=programs.EXAMPLES, help="directory of the built examples (%(default)s)")
    parser.add_argument("--lettre", type=Path, default=Path("target/lettre/release/ehlo-peer-lettre"), help="the built client (%(default)s)")
    parser.add_argument("--only", default="", metavar="REGEX", help="only the checks whose title matches")
    parser.add_argument("--list", action="store_true", help="print the titles and run nothing")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the table, if nothing failed")
    parser.add_argument("--all", action="store_true", help="also the load, which takes minutes")
    arguments = parser.parse_args()
    if arguments.all:
        import load  # noqa: F401
    if arguments.list:
        print("\n".join(one.title for one in checks.CHECKS))
        return 0
    programs.EXAMPLES = arguments.examples.resolve()
    clients.LETTRE = str(arguments.lettre.resolve())
    passed = checks.run_all(arguments.only)
    if passed and arguments.write:
        arguments.write.write_text(table.table())
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
