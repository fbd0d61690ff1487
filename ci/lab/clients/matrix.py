"""Every client into `receive`: without TLS, by STARTTLS and by implicit TLS, with each of its mechanisms."""

import email
import json
import re
from base64 import b64encode

from lab import maildir
from lab.checks import check, expect, wait_until
from lab.clients import clients
from lab.clients.clients import CLIENTS, NAME, PASSWORD, Letter
from lab.programs import Receive
from lab.servers.certificate import Certificate
from lab.wire import stuffed

BODY = "text\r\n.\r\n..\r\n.hidden\r\n\r\nGrüße, 世界\r\nlast\r\n".encode()
CONTENT = (
    b"From: a@test\r\nTo: u@test\r\nDate: Mon, 01 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@client.test>\r\nSubject: letter\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    + BODY
)
# What was delivered: (client, security, mechanism).
DELIVERED = set()


def listening(work, security, *flags):
    """A server for one security, and the authority that its certificate is of."""
    certificate = Certificate(work / "tls")
    tls = {
        "without TLS": ("--allow-plaintext-auth",),
        "STARTTLS": ("--require-tls",),
        "implicit TLS": ("--implicit-tls",),
    }[security]
    files = () if security == "without TLS" else ("--cert", certificate.chain, "--key", certificate.key)
    return Receive(work, "--json", *files, *tls, *flags), certificate.authority


def events(server, kind):
    objects = [json.loads(line) for line in list(server.lines) if line.startswith("{")]
    return [one for one in objects if one["event"] == kind]


def expect_delivered(server, client, security, mechanism):
    """One message, whole, by the protocol that RFC 3848 names for this way."""
    wait_until(lambda: events(server, "message"), 10, f"no message: {server.lines[-3:]} {server.errors[-3:]}")
    [message] = events(server, "message")
    expect((message["from"], message["to"]) == ("<a@test>", ["u@test"]), f"envelope {message}")
    keyword = "ESMTP" + ("" if security == "without TLS" else "S") + ("A" if mechanism else "")
    if client.helo and not mechanism:
        keyword = "SMTP"
    expect(message["protocol"] == keyword, f"{message['protocol']} for {keyword}")
    if mechanism:
        # A client that is told a mechanism takes this one, or the same with a channel binding.
        took = [
            (one["mechanism"].removesuffix("-PLUS"), one["user"], one["code"])
            for one in events(server, "auth")
        ]
        expect(took == [(mechanism, NAME, 235)], f"authenticated by {took}")
    [stored] = maildir.stored(server.maildir)
    expect(b"with " + keyword.encode() + b" " in stored.received, f"{stored.received!r}")
    body = email.message_from_bytes(stored.content).get_payload(decode=True)
    lines = re.sub(rb"\r?\n", b"\r\n", body).rstrip(b"\r\n")
    expected = stuffed(BODY) if client.stuffs else BODY
    expect(lines == expected.rstrip(b"\r\n"), f"body {body!r}")


def expect_no_secret(server):
    """Neither as it is, nor in base64 of any position."""
    said = "\n".join(server.lines + server.errors)
    forms = [PASSWORD] + [b64encode(b"x" * shift + PASSWORD.encode())[2:-3].decode() for shift in range(3)]
    for form in forms:
        expect(form not in said, f"the password is in the output, as {form}")


def deliver(client, security, mechanism):
    def one_letter(work):
        flags = ("--user", f"{NAME}:{PASSWORD}", "--require-auth") if mechanism else ()
        server, authority = listening(work, security, *flags)
        with server:
            client.send(Letter(work, server.port, CONTENT, security, mechanism, authority))
            expect_delivered(server, client, security, mechanism)
            expect_no_secret(server)
        DELIVERED.add((client.title, security, mechanism))

    by = f" by {mechanism}" if mechanism else ""
    check(f"matrix: {client.title} {security}{by}".replace("{", "{{"))(one_letter)


for _client in CLIENTS:
    for _security, _mechanism in _client.ways():
        deliver(_client, _security, _mechanism)


@check("matrix: {security}, a wrong password enters by no mechanism", security=clients.SECURITIES)
def wrong_password(work, security):
    tried = [
        (clients.msmtp, one)
        for one in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2")
    ]
    server, authority = listening(
        work, security, "--user", f"{NAME}:another", "--user", f"another:{PASSWORD}", "--require-auth"
    )
    with server:
        for send, mechanism in tried:
            try:
                send(Letter(work, server.port, CONTENT, security, mechanism, authority))
            except AssertionError as refused:
                expect("ended with" in str(refused), str(refused))
            else:
                raise AssertionError(f"{mechanism} let a wrong password in")
        wait_until(lambda: len(events(server, "auth")) == len(tried), 10, f"{events(server, 'auth')}")
        expect(
            all(one["code"] == 535 and not one["user"] for one in events(server, "auth")),
            f"{events(server, 'auth')}",
        )
        expect_no_secret(server)
        server.expect_stored()
