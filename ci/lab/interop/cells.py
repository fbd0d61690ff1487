"""One check for each server and each column of docs/interop.md. The checks of one server share it."""

import contextlib
import functools

from lab.checks import check
from lab.interop.columns import COLUMNS
from lab.interop.page import found_cell
from lab.interop.trial import Trial
from lab.servers import ALL
from lab.servers.certificate import Certificate

# What is tried for every change, in two minutes: with and without each extension, and by one adapter
# where all can be.
QUICK = ("postfix", "exim498", "dovecotlmtp", "smtpserver", "opensmtpd", "aiosmtpd")
LIMIT = 300


@contextlib.contextmanager
def trial(kind, work):
    inner = work / "work"
    inner.mkdir()
    with kind(work / "servers", Certificate(work / "tls")) as server:
        yield Trial(server, inner)


def register(name, kind):
    opener = functools.partial(trial, kind)

    @check(
        f"{kind.title}: {{column}}", limit=LIMIT, slow=name not in QUICK, shared=opener, column=tuple(COLUMNS)
    )
    def cell(_, trial, column):
        try:
            value = COLUMNS[column](trial)
        except BaseException:
            trial.forget()
            raise
        found_cell(kind.title, column, value)


for _name, _kind in ALL.items():
    register(_name, _kind)
