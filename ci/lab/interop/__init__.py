"""Tries `send` with each server, and writes docs/interop.md or compares it with what it found."""

import argparse
import re
import signal
import sys
import tempfile
import time
from pathlib import Path

import programs
from certificate import Certificate
from checks import reason_of
from columns import BODIES, COLUMNS, NO
from faults import FAULTS, outcome
from servers import ALL
from table import page
from trial import ALL_RUNTIMES, ONE_RUNTIME, Trial

PAGE = Path("docs/interop.md")
# What is tried for every change, in two minutes: with and without each extension, and by one adapter where all can be.
QUICK = ("postfix", "exim498", "dovecotlmtp", "smtpserver", "opensmtpd", "aiosmtpd")
QUICK_FAULTS = ("no ESMTP", "421 after RCPT", "a close after DATA", "a close in place of the reply to the content")
LIMIT = 300


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=Path, default=programs.EXAMPLES, help="directory of the built examples (%(default)s)")
    parser.add_argument("--all", action="store_true", help="every server and every fault; writes the page")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=ALL, default=(), help="these servers alone")
    arguments = parser.parse_args()
    programs.EXAMPLES = arguments.examples.resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    names = arguments.only or (tuple(ALL) if arguments.all else QUICK)
    runtimes = ALL_RUNTIMES if arguments.all else ONE_RUNTIME
    failures = []
    servers = [row for name in names if (row := try_server(ALL[name], runtimes, failures))]
    chosen = () if arguments.only else tuple(FAULTS) if arguments.all else QUICK_FAULTS
    faults = [row for fault in chosen if (row := try_fault(fault, failures))]
    if arguments.all and not arguments.only and not failures:
        PAGE.write_text(page(COLUMNS, servers, faults, ", ".join(BODIES)))
    elif not arguments.all and not failures:
        compare(servers, faults, failures)
    print(f"{len(servers)} servers of {len(names)}, {len(faults)} faults of {len(chosen)}, {len(failures)} failures", flush=True)
    return 1 if failures else 0


def try_server(kind, runtimes, failures):
    """The row of a server; each cell that fails is one failure."""
    start, before = time.monotonic(), len(failures)
    cells = []
    with tempfile.TemporaryDirectory(prefix="ehlo-interop-", ignore_cleanup_errors=True) as folder:
        # The servers go on under accounts of their own.
        Path(folder).chmod(0o755)
        work = Path(folder) / "work"
        work.mkdir()
        try:
            with kind(Path(folder) / "servers", Certificate(Path(folder) / "tls")) as server:
                trial = Trial(server, work, runtimes)
                for title, cell in COLUMNS.items():
                    cells.append(attempt(f"{kind.title}: {title}", lambda cell=cell: cell(trial), failures, trial.forget))
        except Exception as error:  # this server's failure, and the next one is still tried
            failed(f"{kind.title}", error, failures)
            return None
    print(f"{'ok' if len(failures) == before else 'FAIL'} {kind.title}: {' | '.join(cells)} ({time.monotonic() - start:.0f} s)", flush=True)
    return kind.title, cells


def try_fault(fault, failures):
    with tempfile.TemporaryDirectory(prefix="ehlo-interop-", ignore_cleanup_errors=True) as work:
        runtime = ALL_RUNTIMES[len(fault) % len(ALL_RUNTIMES)]
        found = attempt(f"smtp-sink, {fault}", lambda: outcome(Path(work), fault, runtime), failures)
    if found is NO:
        return None
    words, code, flags = found
    return fault, f"`{flags}`", words, str(code)


def attempt(title, act, failures, forget=lambda: None):
    signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(LIMIT)
    try:
        return act()
    except Exception as error:
        failed(title, error, failures)
        forget()
        return NO
    finally:
        signal.alarm(0)


def on_alarm(*_):
    raise TimeoutError(f"not finished after {LIMIT} s")


def failed(title, error, failures):
    failures.append(title)
    print(f"FAIL {title}: {' '.join(reason_of(error).split())[:600]}", flush=True)


def compare(servers, faults, failures):
    """The page says of these what was found."""
    lines = PAGE.read_text().splitlines()
    for row in [[title, *cells] for title, cells in servers] + faults:
        line = "| " + " | ".join(row) + " |"
        if line not in lines:
            known = next((other for other in lines if other.startswith(f"| {row[0]} |")), "nothing")
            failed(row[0], AssertionError(f"found {line}; {PAGE} has {re.sub(' +', ' ', known)}"), failures)


if __name__ == "__main__":
    sys.exit(main())
