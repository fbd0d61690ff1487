"""The mail servers that clients are tried against. By hand it starts some, which end with its standard input:

    ci/servers/install
    PYTHONPATH=ci/peers:ci/servers python3 -B ci/servers/servers.py postfix exim

In a script: `with ALL["postfix"](folder, Certificate(folder / "tls")) as server: server.ports["plain"]`.
"""

import contextlib
import signal
import sys
import tempfile
from pathlib import Path

from certificate import Certificate
from dovecot import DovecotLmtp, DovecotSubmission
from exim import Exim, Exim498
from opensmtpd import OpenSmtpd
from postfix import Postfix, Postfix310
from scripts import Aiosmtpd, Haraka, Receive, Sink, SmtpServer
from sendmail import Sendmail

ALL = {
    kind.__name__.lower(): kind
    for kind in (
        Postfix, Postfix310, Exim, Exim498, OpenSmtpd, Sendmail, DovecotLmtp, DovecotSubmission, Aiosmtpd, SmtpServer, Haraka, Sink, Receive,
    )
}


def main():
    names = sys.argv[1:]
    unknown = [name for name in names if name not in ALL]
    if unknown or not names:
        sys.exit(f"servers: name some of {', '.join(ALL)}")
    # The servers end with this program, however it ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="ehlo-servers-", ignore_cleanup_errors=True) as folder, contextlib.ExitStack() as stack:
        certificate = Certificate(Path(folder) / "tls")
        print(f"authority {certificate.authority}", flush=True)
        for name in names:
            server = stack.enter_context(ALL[name](folder, certificate))
            print(server.title, *(f"{door} 127.0.0.1:{port}" for door, port in server.ports.items()), sep=", ", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
