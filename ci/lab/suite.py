"""The command line that all suites of checks share."""

import argparse
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab import cargo, checks, programs, provide


@dataclass(frozen=True)
class Suite:
    # The name of the command, of its step in provide.STEPS, and of the package that holds its modules.
    name: str
    # The modules whose checks it runs, in this order.
    modules: tuple[str, ...]
    # Its servers change to other accounts, or see mounts that nothing else sees.
    needs_root: bool = False
    # Builds what the checks run, beside the examples.
    prepare: Callable[[], None] = lambda: None
    # What comes before the checks, unless some are chosen by `--only`; it runs before the change to
    # root, as `prepare` does.
    before: Callable[[], None] = lambda: None
    # Learns whether everything is tried, and whether the page is written.
    configure: Callable[[bool, bool], None] = lambda everything, writes: None
    # A page of docs/, and the function that makes its text.
    page: Path | None = None
    text: Callable[[], str] | None = None

    def main(self, argv):
        arguments = self._parser().parse_args(argv)
        writes = self.page is not None and arguments.write
        everything = arguments.all or writes
        chosen = self._checks(arguments.only, everything)
        if arguments.list:
            print("\n".join(one.title for one in chosen))
            return 0
        if missing := provide.missing(self.name):
            print(provide.advice(self.name, missing), file=sys.stderr)
            return 2
        if not arguments.examples:
            try:
                cargo.build_examples()
                self.prepare()
                if not arguments.only:
                    self.before()
            except subprocess.CalledProcessError as error:
                print(f"lab {self.name}: failed: {' '.join(error.cmd)}", file=sys.stderr)
                return 1
        examples = Path(arguments.examples or programs.EXAMPLES).resolve()
        if self.needs_root and os.geteuid() != 0:
            return self._as_root(argv, examples)
        programs.EXAMPLES = examples
        self.configure(everything, writes)
        passed = checks.run_all(chosen)
        if passed and writes:
            (cargo.ROOT / self.page).write_text(self.text())
        return 0 if passed else 1

    def _parser(self):
        package = importlib.import_module(f"lab.{self.name}")
        parser = argparse.ArgumentParser(prog=f"lab {self.name}", description=package.__doc__)
        parser.add_argument("--list", action="store_true", help="print the titles and run nothing")
        parser.add_argument(
            "--only",
            default="",
            metavar="REGEX",
            help="only the checks whose title matches, slow ones included",
        )
        parser.add_argument("--all", action="store_true", help="include the checks that take minutes")
        if self.page:
            parser.add_argument(
                "--write", action="store_true", help=f"--all, and write {self.page} if nothing failed"
            )
        parser.add_argument("--examples", type=Path, metavar="FOLDER", help="the folder of built examples")
        return parser

    def _checks(self, only, everything):
        modules = [f"lab.{self.name}.{module}" for module in self.modules]
        for module in modules:
            importlib.import_module(module)
        # A suite may import another's module, for what it has beside its checks.
        own = sorted(
            (one for one in checks.CHECKS if one.module in modules), key=lambda one: modules.index(one.module)
        )
        return [one for one in own if (everything or only or not one.slow) and re.search(only, one.title)]

    def _as_root(self, argv, examples):
        environment = [
            f"{name}={os.environ[name]}" for name in ("PEERS_HOME", "CARGO_TARGET_DIR") if name in os.environ
        ]
        command = ["sudo", "-n", "env", *environment, f"PYTHONPATH={Path(__file__).parents[1]}"]
        command += [sys.executable, "-B", "-m", "lab", self.name, *argv, "--examples", str(examples)]
        if not provide.which("sudo"):
            print(f"lab {self.name}: needs root, and there is no sudo", file=sys.stderr)
            return 2
        return subprocess.run(command, cwd=cargo.ROOT).returncode
