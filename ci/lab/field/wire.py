"""A connection of a case: what is read from it and written to it, with a time limit for every wait."""

import os
import socket
import ssl
import struct
import time

# Seconds that a step waits for the other side.
PATIENCE = 12


class Unexpected(Exception):
    """The other side does not do what the case says."""


def to_bytes(value):
    """Text in which each character is one byte; or how often which text is repeated; or a list of these."""
    if isinstance(value, str):
        return value.encode("latin-1")
    if isinstance(value, dict):
        return b"".join(to_bytes(value["repeat"].replace("{n}", str(n))) for n in range(value["times"]))
    return b"".join(map(to_bytes, value))


def shorten(text, most=160):
    text = str(text)
    return text if len(text) <= most else f"{text[:most]}…"


class Wire:
    def __init__(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        # Received, and not taken yet.
        self.unread = b""
        self.log = []

    def receive(self, seconds=PATIENCE):
        """Waits for something; false at the end of the stream. Raises `TimeoutError`."""
        self.sock.settimeout(max(seconds, 0.01))
        received = self.sock.recv(1 << 16)
        self.unread += received
        return bool(received)

    def take(self, size):
        taken, self.unread = self.unread[:size], self.unread[size:]
        return taken

    def line(self, seconds=PATIENCE):
        """The next line with its end; `None` at the end of the stream."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self.unread:
            if not self.receive(deadline - time.monotonic()):
                return None
        return self.take(self.unread.index(b"\n") + 1).decode("latin-1")

    def drain(self, seconds):
        """What comes in this time, its last 64 KiB, and whether the stream has ended then."""
        deadline, heard = time.monotonic() + seconds, b""
        while True:
            heard = (heard + self.take(len(self.unread)))[-(1 << 16) :]
            if (left := deadline - time.monotonic()) <= 0:
                return heard, False
            try:
                if not self.receive(left):
                    return heard, True
            except TimeoutError:
                return heard, False
            except OSError:
                return heard, True

    def send(self, data):
        self.sock.settimeout(PATIENCE)
        self.sock.sendall(data)

    def start_tls(self, context, **how):
        self.sock.settimeout(PATIENCE)
        self.sock = context.wrap_socket(self.sock, **how)
        self.log.append("-- TLS")

    def close(self, *, reset=False):
        """Closes, inside TLS without an alert."""
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if isinstance(self.sock, ssl.SSLSocket):
            descriptor = self.sock.detach()
            if descriptor >= 0:
                os.close(descriptor)
        else:
            self.sock.close()

    def note(self, who, data):
        text = data.decode("latin-1") if isinstance(data, bytes) else data
        self.log.append(f"{who}: {shorten(text.rstrip().replace(chr(13) + chr(10), ' | '))}")
