"""An SMTP session step by step, for input that no well-behaved client sends."""

import select
import socket
from dataclasses import dataclass


@dataclass
class Reply:
    code: int
    lines: list

    @property
    def text(self):
        return "\n".join(self.lines)


class Session:
    """Connects and takes the greeting; every wait ends after `timeout` seconds."""

    def __init__(self, port, timeout=10, greeting=220):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.waiting = b""
        self.greeting = self.expect(greeting)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def _line(self):
        while b"\r\n" not in self.waiting:
            more = self.socket.recv(65536)
            if not more:
                raise AssertionError(f"closed in place of a reply, after {self.waiting!r}")
            self.waiting += more
        line, self.waiting = self.waiting.split(b"\r\n", 1)
        return line

    def reply(self):
        lines = []
        while True:
            line = self._line()
            if not line[:3].isdigit() or line[3:4] not in (b" ", b"-", b""):
                raise AssertionError(f"not a reply line: {line!r} after {lines}")
            lines.append(line[4:].decode("utf-8", "replace"))
            if line[3:4] != b"-":
                return Reply(int(line[:3]), lines)

    def expect(self, code, after="the connection"):
        """Reads one reply; a code of one digit stands for its class."""
        reply = self.reply()
        if code not in (reply.code, reply.code // 100):
            raise AssertionError(f"{reply.code} {reply.text!r} for {code} after {after}")
        return reply

    def command(self, line, code=2):
        self.send(line.encode() + b"\r\n")
        return self.expect(code, line)

    def open(self, *recipients, sender="a@test", greet=True):
        """Everything up to and including 354."""
        if greet:
            self.command("EHLO client.test", 250)
        self.command(f"MAIL FROM:<{sender}>", 250)
        for recipient in recipients or ("u@test",):
            self.command(f"RCPT TO:<{recipient}>", 250)
        self.command("DATA", 354)

    def data(self, content, code=250):
        """Content as it stands and the end of data: no dots are added."""
        self.send(content + b".\r\n")
        return self.expect(code, f"the content {content[:40]!r}")

    def hears(self, seconds):
        """Whether something comes, a reply or the end."""
        return bool(self.waiting or select.select([self.socket], [], [], seconds)[0])

    def expect_silence(self, seconds=0.2):
        """A reply too many would put every later one out of step."""
        if self.hears(seconds):
            raise AssertionError(f"unasked for: {self.waiting or self.socket.recv(1024)!r}")

    def expect_closed(self):
        try:
            rest = self.waiting + self.socket.recv(1024)
        except ConnectionResetError:
            return
        if rest:
            raise AssertionError(f"after the last reply: {rest[:80]!r}")

    def quit(self):
        self.command("QUIT", 221)
        self.expect_closed()


def stuffed(content):
    """The content as DATA carries it, without the final dot."""
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in content.split(b"\r\n"))
