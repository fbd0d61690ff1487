"""What clients can say of a letter: UTF-8 addresses, delivery status notifications, 50 MiB of content."""

import hashlib

from lab import maildir, messages
from lab.checks import check, expect, wait_until
from lab.clients import clients
from lab.clients.clients import Letter
from lab.clients.matrix import CONTENT, events, listening

UTF8 = {"curl": clients.curl, "smtplib": clients.smtplib_of_python, "nodemailer": clients.nodemailer}


@check("{client} sends from jürgen@bücher.test to 用户@test with SMTPUTF8", client=tuple(UTF8))
def smtputf8(work, client):
    server, authority = listening(work, "STARTTLS")
    with server:
        letter = Letter(
            work, server.port, CONTENT, "STARTTLS", "", authority, "jürgen@bücher.test", "用户@test"
        )
        more = {"mail_options": ["SMTPUTF8"]} if client == "smtplib" else {}
        UTF8[client](letter, **more)
        [mail], [message] = events(server, "mail"), events(server, "message")
        expect("SMTPUTF8" in mail["parameters"], f"{mail}")
        # IDN has two forms, and clients that know of it may turn one into the other.
        senders = ("<jürgen@bücher.test>", "<jürgen@xn--bcher-kva.test>")
        expect(message["from"] in senders and message["to"] == ["用户@test"], f"{message}")
        expect(message["protocol"] == "UTF8SMTPS", f"{message}")


DSN = {
    "msmtp": lambda letter: clients.msmtp(letter, "--dsn-notify=failure,delay", "--dsn-return=headers"),
    "smtplib": lambda letter: clients.smtplib_of_python(
        letter, ["RET=HDRS", "ENVID=QQ314159"], ["NOTIFY=FAILURE,DELAY", "ORCPT=rfc822;u@test"]
    ),
    "nodemailer": lambda letter: clients.nodemailer(
        letter, {"id": "QQ314159", "return": "headers", "notify": ["failure", "delay"], "recipient": "u@test"}
    ),
}


@check("{client} asks for delivery status notifications", client=tuple(DSN))
def dsn(work, client):
    server, _ = listening(work, "without TLS")
    with server:
        certificate = work / "tls/authority.pem"
        DSN[client](Letter(work, server.port, CONTENT, authority=certificate))
        [mail], [rcpt] = events(server, "mail"), events(server, "rcpt")
        expect("RET=HDRS" in mail["parameters"], f"{mail}")
        expect(any(one.upper() == "NOTIFY=FAILURE,DELAY" for one in rcpt["parameters"]), f"{rcpt}")
        if client != "msmtp":
            expect("ENVID=QQ314159" in mail["parameters"], f"{mail}")
            expect("ORCPT=rfc822;u@test" in rcpt["parameters"], f"{rcpt}")
        wait_until(lambda: events(server, "message"), 5, "no message")


LARGE = {
    "swaks": clients.swaks,
    "curl": clients.curl,
    "msmtp": clients.msmtp,
    "smtplib": clients.smtplib_of_python,
    "nodemailer": clients.nodemailer,
}
# With the line that swaks adds it is as much as `receive` takes.
SIZE = 50 * 1024 * 1024 - 2


@check("{client} sends 50 MiB by STARTTLS", limit=240, client=tuple(LARGE))
def large(work, client):
    content = (messages.HEADER + messages.LARGE * 6)[: SIZE - 2] + b"\r\n"
    server, authority = listening(work, "STARTTLS")
    with server:
        LARGE[client](Letter(work, server.port, content, "STARTTLS", "", authority), timeout=200)
        [stored] = maildir.stored(server.maildir)
        received = stored.content.removesuffix(b"\r\n") if client == "swaks" else stored.content
        expect(
            hashlib.sha256(received).digest() == hashlib.sha256(content).digest(),
            f"{len(received)} bytes for {len(content)}",
        )
