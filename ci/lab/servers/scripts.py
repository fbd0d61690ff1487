"""Servers in Python and JavaScript, and smtp-sink: they keep content byte by byte, or line by line."""

import contextlib
import json

from lab import programs
from lab.cargo import FOREIGN
from lab.checks import wait_until
from lab.provide import HOME, VENV
from lab.servers.server import LOGIN, REFUSED, Server


class Aiosmtpd(Server):
    title = "aiosmtpd 1.4"
    copy_for_each = False
    mechanisms = ("PLAIN", "LOGIN")

    def configure(self):
        self.mail.mkdir(exist_ok=True)
        ports = self.ports["plain"], self.ports["implicit"]
        tls = "--certificate", self.certificate.chain, self.certificate.key, "--login", *LOGIN
        return [
            VENV / "bin/python",
            programs.AIOSMTPD,
            self.mail,
            "--refuse",
            REFUSED,
            "--ports",
            *ports,
            *tls,
        ]

    def messages(self):
        return [path.read_bytes() for path in sorted(self.mail.glob("*.eml"))]

    def clear(self):
        for path in self.mail.iterdir():
            path.unlink()


class SmtpServer(Server):
    title = "smtp-server 3.21"
    copy_for_each = False

    def configure(self):
        for name in ("tmp", "new"):
            (self.mail / name).mkdir(parents=True, exist_ok=True)
        facts = {
            "modules": str(HOME / "npm/smtp-server/node_modules"),
            "mail": str(self.mail),
            "refused": REFUSED,
            "login": LOGIN,
            "chain": str(self.certificate.chain),
            "key": str(self.certificate.key),
            "ports": self.ports,
        }
        return ["node", FOREIGN / "smtp_server.js", json.dumps(facts)]


class Haraka(Server):
    title = "Haraka 3.1"
    copy_for_each = False

    def configure(self):
        for folder in (self.folder / "config", self.folder / "plugins", self.mail / "new"):
            folder.mkdir(parents=True, exist_ok=True)
        package = HOME / "npm/Haraka/node_modules/Haraka"
        clear, inside = self.ports["plain"], self.ports["implicit"]
        name, password = LOGIN
        files = {
            "smtp.ini": f"listen=127.0.0.1:{clear},127.0.0.1:{inside}\nsmtps_port={inside}\nnodes=0\ndaemonize=false\n",
            # Lines of 998 bytes stay whole, also with a dot more.
            "connection.ini": (package / "config/connection.ini")
            .read_text()
            .replace("data_line_length=992", "data_line_length=2000"),
            "me": "mx.test\n",
            "host_list": "test\n",
            "loglevel": "warn\n",
            "plugins": "tls\nauth/flat_file\nmailboxes\nqueue/test\n",
            "auth_flat_file.ini": f"[core]\nmethods=PLAIN,LOGIN,CRAM-MD5\nconstrain_sender=false\n[users]\n{name}={password}\n",
            "tls.ini": "key=key.pem\ncert=chain.pem\n",
            "key.pem": self.certificate.key.read_text(),
            "chain.pem": self.certificate.chain.read_text(),
        }
        for file, text in files.items():
            (self.folder / "config" / file).write_text(text)
        (self.folder / "plugins/mailboxes.js").write_text(MAILBOXES % json.dumps(REFUSED))
        # Its plugin that stores writes where temporary files go.
        return ["env", f"TMPDIR={self.mail}/new", "node", package / "bin/haraka", "-c", self.folder]


MAILBOXES = """\
exports.hook_rcpt = (next, connection, [address]) => {
    // What comes from a user who has authenticated is stored here too, and goes nowhere else.
    connection.relaying = false;
    return address.address() === %s ? next(DENY, 'no such mailbox') : next(OK);
};
"""


class Receive(Server):
    """The example of this project: one that begins without TLS, and one inside TLS."""

    title = "`receive` of this project"
    copy_for_each = False
    mechanisms = (
        "PLAIN",
        "LOGIN",
        "CRAM-MD5",
        "SCRAM-SHA-1",
        "SCRAM-SHA-1-PLUS",
        "SCRAM-SHA-256",
        "SCRAM-SHA-256-PLUS",
        "OAUTHBEARER",
        "XOAUTH2",
    )

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            for door, flags in (("plain", ()), ("implicit", ("--implicit-tls",))):
                tls = "--cert", self.certificate.chain, "--key", self.certificate.key, *flags
                work = self.folder / door
                work.mkdir()
                receive = programs.Receive(work, *tls, "--user", ":".join(LOGIN), "--reject", REFUSED)
                self.ports[door] = stack.enter_context(receive).port
            self.mail, self.running = self.folder, stack.pop_all()
        return self

    def __exit__(self, *reason):
        self.running.__exit__(*reason)


class Sink(Server):
    """smtp-sink, which has no TLS; its flags make it misbehave."""

    title = "smtp-sink 3.7"
    refuses = False
    copy_for_each = False
    doors = ("plain",)
    auth_door = None
    mechanisms = ()

    def __init__(self, root, certificate, *flags):
        super().__init__(root, certificate)
        self.sink = programs.Sink(self.folder, *flags)

    def __enter__(self):
        self.sink.__enter__()
        self.ports = {"plain": self.sink.port}
        return self

    def __exit__(self, *reason):
        self.sink.__exit__(*reason)

    def messages(self):
        return self.sink.stored()

    def wait_for(self, count):
        # It writes a dump while it reads, so a dump may not be at its end yet.
        wait_until(
            lambda: len(self.sink.dumps()) >= count,
            30,
            f"smtp-sink stored {len(self.sink.dumps())} of {count}",
        )
        return self.contents()

    def clear(self):
        for path in self.sink.folder.iterdir():
            path.unlink()
