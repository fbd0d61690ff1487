"""One server under trial: the ways into it, what it offers on each, and that it stores what it accepted."""

import itertools
import smtplib
import socket
import ssl

from lab.checks import expect, expect_same_set
from lab.messages import HEADER
from lab.peers.send import RUNTIMES
from lab.programs import send
from lab.servers.server import MARK

# Those that take turns.
RUNTIMES_IN_TURN = RUNTIMES
# Ways in: the flags of `send` for them.
CLEAR, STARTTLS, IMPLICIT = "without TLS", "STARTTLS", "implicit TLS"
PASSWORD = "user:secret"


class Trial:
    def __init__(self, server, work):
        self.server, self.work, self.runtimes = server, work, RUNTIMES_IN_TURN
        self._numbers, self._runtimes = itertools.count(1), itertools.cycle(self.runtimes)
        self._expected = []
        self.offered = {way: capabilities(server, way) for way in self.ways()}

    def ways(self):
        """The securities of the server, beginning with the one without TLS if it accepts mail there."""
        doors = self.server.doors
        ways = [CLEAR] if "plain" in doors else []
        if "submission" in doors or "STARTTLS" in capabilities(self.server, CLEAR):
            ways.append(STARTTLS)
        return ways + ([IMPLICIT] if "implicit" in doors else [])

    def first_way(self):
        return self.ways()[0]

    def offers(self, extension):
        return extension in self.offered[self.ways()[-1]]

    def needs_login(self, way):
        """Whether mail is taken from users only."""
        return (
            way == STARTTLS
            and "plain" not in self.server.doors
            or way == IMPLICIT
            and self.server.auth_door == "submission"
        )

    def content(self, body, header=HEADER):
        """A content that no other is the same as."""
        return b"%s%d\r\n%s%s" % (MARK, next(self._numbers), header, body)

    def send(self, content, way, *flags, login=None, port=None, runtime=None, **more):
        """Runs `send`, the runtimes in turn where none is named."""
        if login is None and self.needs_login(way):
            login = PASSWORD
        flags = [
            *tls_flags(self.server, way),
            *(("--lmtp",) if self.server.lmtp else ()),
            *(("--user", login) if login else ()),
            *flags,
        ]
        return send(
            self.work,
            port or port_of(self.server, way, bool(login)),
            content,
            *flags,
            runtime=runtime or next(self._runtimes),
            **more,
        )

    def deliver(self, content, way, *flags, arrives=None, **more):
        """Sends a content that must be accepted, and remembers that it, or `arrives`, must be stored."""
        sent = self.send(content, way, *flags, **more)
        expect(set(sent.words()) == {"accepted"}, f"{way} {flags}: {sent.outcomes} {sent.errors[-300:]}")
        self._expected.append(arrives or content)
        return sent

    def expect_more(self, contents):
        """These must be stored too."""
        self._expected += contents

    def settle(self):
        """All that was delivered since the last time is stored byte by byte, and nothing else."""
        expected, self._expected = self._expected, []
        stored = self.server.wait_for(len(expected))
        self.server.clear()
        expect_same_set(stored, expected, self.server.title)

    def forget(self):
        """What is stored after a failure is of no interest to the next case."""
        self._expected = []
        self.server.clear()


def port_of(server, way, login=False):
    if way == IMPLICIT:
        return server.ports["implicit"]
    door = server.auth_door if login and way == STARTTLS else "plain"
    return server.ports.get(door) or server.ports["submission"]


def tls_flags(server, way):
    authority = ("--ca", str(server.certificate.authority))
    return {
        CLEAR: ("--tls", "off"),
        STARTTLS: ("--tls", "require", *authority),
        IMPLICIT: ("--tls", "implicit", *authority),
    }[way]


def capabilities(server, way):
    """What the server says to EHLO, by another client: keyword and arguments."""
    trusted = ssl.create_default_context(cafile=server.certificate.authority)
    client = (smtplib.LMTP if server.lmtp else smtplib.SMTP)("", 0)
    client.sock = socket.create_connection(("127.0.0.1", port_of(server, way)), 20)
    if way == IMPLICIT:
        client.sock = trusted.wrap_socket(client.sock, server_hostname="localhost")
    client._host = "localhost"
    client.local_hostname = "client.test"
    with client:
        client.getreply()
        client.ehlo()
        if way == STARTTLS:
            client.starttls(context=trusted)
            client.ehlo()
        return {keyword.upper(): arguments for keyword, arguments in client.esmtp_features.items()}
