"""Starts mail servers for manual tests, on free ports of loopback; they end with the standard input.

In Python: `with ALL["postfix"](folder, Certificate(folder / "tls")) as server: server.ports["plain"]`.
"""

import contextlib
import signal
import sys
import tempfile
from pathlib import Path

from lab import provide
from lab.servers.certificate import Certificate
from lab.servers.dovecot import DovecotLmtp, DovecotSubmission
from lab.servers.exim import Exim, Exim498
from lab.servers.opensmtpd import OpenSmtpd
from lab.servers.postfix import Postfix, Postfix310
from lab.servers.scripts import Aiosmtpd, Haraka, Receive, Sink, SmtpServer
from lab.servers.sendmail import Sendmail

ALL = {
    kind.__name__.lower(): kind
    for kind in (
        Postfix,
        Postfix310,
        Exim,
        Exim498,
        OpenSmtpd,
        Sendmail,
        DovecotLmtp,
        DovecotSubmission,
        Aiosmtpd,
        SmtpServer,
        Haraka,
        Sink,
        Receive,
    )
}


def main(names):
    unknown = [name for name in names if name not in ALL]
    if unknown or not names:
        print(f"lab start: name some of {', '.join(ALL)}", file=sys.stderr)
        return 2
    if missing := provide.missing("servers"):
        print(provide.advice("servers", missing), file=sys.stderr)
        return 2
    # The servers end with this program, however it ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with (
        tempfile.TemporaryDirectory(prefix="ehlo-servers-", ignore_cleanup_errors=True) as folder,
        contextlib.ExitStack() as stack,
    ):
        certificate = Certificate(Path(folder) / "tls")
        print(f"authority {certificate.authority}", flush=True)
        for name in names:
            server = stack.enter_context(ALL[name](folder, certificate))
            print(
                server.title,
                *(f"{door} 127.0.0.1:{port}" for door, port in server.ports.items()),
                sep=", ",
                flush=True,
            )
        sys.stdin.read()
    return 0
