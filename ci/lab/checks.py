"""Defines checks, runs them and counts the results."""

import contextlib
import functools
import itertools
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
    # The name of the module that registers it.
    module: str
    # It takes minutes, and runs only if it is asked for.
    slow: bool = False
    # Makes a context manager for `work`, whose value `run` takes too. Consecutive checks with the same
    # one use one value: it is opened by the first of them and closed by the last.
    shared: Callable | None = None


def check(title, limit=30, slow=False, shared=None, **variants):
    """Registers `function(work, ...)` for each combination of the variants, which also fill the title."""

    def register(function):
        for values in itertools.product(*variants.values()):
            named = dict(zip(variants, values))
            run = functools.partial(function, **named)
            CHECKS.append(Check(title.format(**named), run, limit, function.__module__, slow, shared))
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
        f"{got[max(at - 10, 0) : at + 20]!r} for {want[max(at - 10, 0) : at + 20]!r}"
    )


def expect_same_set(got, want, what):
    """The same byte strings, each as often, in any order."""
    missing, extra = (
        list((Counter(want) - Counter(got)).elements()),
        list((Counter(got) - Counter(want)).elements()),
    )
    if len(missing) == len(extra) == 1:
        expect_same(extra[0], missing[0], what)
    shown = "".join(
        f"; {name} {[one[:60] for one in some[:3]]}"
        for name, some in (("missing", missing), ("extra", extra))
        if some
    )
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


def run_all(chosen):
    """One line for each check and one for the count; true when nothing failed."""
    signal.signal(signal.SIGALRM, _on_alarm)
    # The programs that a check has started end with this one, however it ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    failed, resource = 0, None
    for one, following in zip(chosen, [*chosen[1:], None]):
        resource = resource or _Resource(one.shared)
        is_last = one.shared is None or following is None or following.shared is not one.shared
        signal.alarm(one.limit)
        try:
            with (
                tempfile.TemporaryDirectory(prefix="ehlo-check-", ignore_cleanup_errors=True) as work,
                resource.closing(is_last),
            ):
                one.run(Path(work), *resource.values())
            line = f"ok {one.title}"
        except Exception as error:  # whatever goes wrong is this check's failure, and the next one still runs
            failed += 1
            reason = f"not finished after {one.limit} s" if isinstance(error, TimeLimit) else reason_of(error)
            line = f"FAIL {one.title}: {' '.join(reason.split())[:600]}"
        finally:
            signal.alarm(0)
        resource = None if is_last else resource
        print(line, flush=True)
        sys.stderr.flush()
    print(f"{len(chosen) - failed} passed, {failed} failed", flush=True)
    return bool(chosen) and not failed


class _Resource:
    """What checks share, opened by the first of them. If that fails, all of them fail."""

    def __init__(self, opener):
        self._opener, self._stack = opener, contextlib.ExitStack()
        self._opened = self._error = None

    def values(self):
        if self._opener is None:
            return ()
        if self._error:
            raise AssertionError(self._error)
        if self._opened is None:
            self._open()
        return (self._opened,)

    def _open(self):
        self._error = "its server could not be started"
        folder = self._stack.enter_context(
            tempfile.TemporaryDirectory(prefix="ehlo-check-", ignore_cleanup_errors=True)
        )
        # Servers go on under other accounts.
        Path(folder).chmod(0o755)
        try:
            self._opened = self._stack.enter_context(self._opener(Path(folder)))
        except Exception as error:
            self._error = reason_of(error)
            raise
        self._error = None

    @contextlib.contextmanager
    def closing(self, is_last):
        """Behind the last check the resource is closed; what goes wrong there is that check's failure."""
        with self._stack if is_last else contextlib.nullcontext():
            yield
