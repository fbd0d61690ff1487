"""A relay that records the bytes on the wire, which a server does not report."""

import socket
import threading
import time


class Tap:
    """Passes connections on to a port, in order, and records who said what.

    `delay` holds every reply back, so that all the client says without waiting for it is recorded before it.
    """

    def __init__(self, port, delay=0.0):
        self.target, self.delay = port, delay
        self.events = []  # ("C" or "S", bytes)
        self._lock = threading.Lock()

    def __enter__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target), 10)
            server.settimeout(None)
            threading.Thread(target=self._pass, args=("C", client, server, 0), daemon=True).start()
            threading.Thread(target=self._pass, args=("S", server, client, self.delay), daemon=True).start()

    def _pass(self, who, source, target, delay):
        try:
            while data := source.recv(65536):
                time.sleep(delay)
                with self._lock:
                    self.events.append((who, data))
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            for end in (source, target):
                end.close()

    def said(self, who):
        return b"".join(data for speaker, data in self.events if speaker == who)

    def turns(self):
        """How often the client went on after it had heard the server: a session's round trips."""
        speakers = [who for who, _ in self.events]
        return sum(before == "S" and who == "C" for before, who in zip(speakers, speakers[1:]))

    def most_outstanding(self):
        """The largest number of commands that waited for their replies at once, up to the first DATA."""
        balance, most, text = 0, 0, {"C": b"", "S": b""}
        for who, data in self.events:
            *lines, text[who] = (text[who] + data).split(b"\r\n")
            for line in lines:
                if who == "S":
                    balance -= line[3:4] != b"-"
                    continue
                balance += 1
                # The greeting answers no command.
                most = max(most, balance + 1)
                if line.upper() == b"DATA":
                    return most
        return most
