"""What a check is, and how all of them are run and counted."""

import itertools
import re
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

CHECKS = []


@dataclass
class Check:
    title: str
    run: Callable
    limit: int


def check(title, limit=30, **variants):
    """Registers `function(work, ...)` once for each combination of the variants, which also fill the title."""

    def register(function):
        for values in itertools.product(*variants.values()):
            named = dict(zip(variants, values))
            CHECKS.append(Check(title.format(**named), lambda work, named=named: function(work, **named), limit))
        return function

    return register


def expect(condition, reason):
    if not condition:
        raise AssertionError(reason)


def wait_until(condition, seconds, reason):
    deadline = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < deadline, reason)
        time.sleep(0.02)


def expect_same(got, want, what):
    if got == want:
        return
    at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
    raise AssertionError(
        f"{what}: {len(got)} bytes for {len(want)}, first difference at {at}: "
        f"{got[max(at - 10, 0):at + 20]!r} for {want[max(at - 10, 0):at + 20]!r}"
    )


def expect_same_set(got, want, what):
    """The same byte strings, each as often, in any order."""
    missing, extra = list((Counter(want) - Counter(got)).elements()), list((Counter(got) - Counter(want)).elements())
    if len(missing) == len(extra) == 1:
        expect_same(extra[0], missing[0], what)
    shown = "".join(f"; {name} {[one[:60] for one in some[:3]]}" for name, some in (("missing", missing), ("extra", extra)) if some)
    expect(not shown, f"{what}: {len(got)} messages for {len(want)}{shown}")


class TimeLimit(Exception):
    pass


def _on_alarm(*_):
    raise TimeLimit


def reason_of(error):
    """Why something failed, in one line where the failure was expected of it."""
    if isinstance(error, AssertionError | TimeoutError) and error.args:
        return str(error)
    if isinstance(error, FileNotFoundError):
        return f"no {error.filename}"
    where = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"


def run_all(only):
    """One line for each check and one for the count; true when nothing failed."""
    chosen = [one for one in CHECKS if re.search(only, one.title)]
    signal.signal(signal.SIGALRM, _on_alarm)
    failed = 0
    for one in chosen:
        with tempfile.TemporaryDirectory(prefix="ehlo-check-", ignore_cleanup_errors=True) as work:
            signal.alarm(one.limit)
            try:
                one.run(Path(work))
                line = f"ok {one.title}"
            except Exception as error:  # whatever goes wrong is this check's failure, and the next one still runs
                failed += 1
                reason = f"not finished after {one.limit} s" if isinstance(error, TimeLimit) else reason_of(error)
                line = f"FAIL {one.title}: {' '.join(reason.split())[:600]}"
            finally:
                signal.alarm(0)
        print(line, flush=True)
        sys.stderr.flush()
    print(f"{len(chosen) - failed} passed, {failed} failed", flush=True)
    return bool(chosen) and not failed
