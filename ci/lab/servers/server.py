"""What all mail servers have in common: free ports, a folder, what they stored, their end."""

import re
from pathlib import Path

from lab.checks import expect, wait_until
from lab.programs import Program, answers, free_port
from lab.provide import HOME

LOGIN = ("user", "secret")
# Any mailbox of the domain `test` takes mail, but this one.
REFUSED = "refused@test"
# The first header field of every content that is sent to these servers: what stands above it is theirs.
MARK = b"X-Begin: "
FIELD = re.compile(rb"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*")


class Server(Program):
    """A mail server in a `with` block.

    `doors` are the ways in, each with a port in `ports`: `plain` begins without TLS and offers STARTTLS where
    the server has it, `submission` insists on STARTTLS and AUTH, `implicit` is implicit TLS.
    """

    title = ""
    doors = ("plain", "implicit")
    lmtp = False
    # It refuses REFUSED.
    refuses = True
    # A message is stored once for each recipient.
    copy_for_each = True
    # The door at which AUTH is offered inside TLS, and the mechanisms that LOGIN can be used with there.
    auth_door = "plain"
    mechanisms = ("PLAIN", "LOGIN", "CRAM-MD5")

    def __init__(self, root, certificate):
        self.folder = Path(root) / type(self).__name__.lower()
        self.folder.mkdir(parents=True)
        # Servers go on under accounts of their own.
        for folder in (Path(root), self.folder):
            folder.chmod(0o755)
        self.certificate = certificate
        self.mail = self.folder / "mail"
        self.ports = {}
        super().__init__(self.folder)

    def configure(self):
        """Writes the files of the server, and returns its command, which stays in the foreground."""
        raise NotImplementedError

    def __enter__(self):
        for _ in range(3):  # another program may take a port that was found free
            self.ports = {door: free_port() for door in self.doors}
            self.command = [str(word) for word in self.configure()]
            self._start()
            try:
                wait_until(
                    lambda: self.ended() or all(map(answers, self.ports.values())),
                    60,
                    f"{self.title} does not listen",
                )
            except BaseException:
                self.end()
                raise
            if not self.ended():
                return self
        raise AssertionError(f"{self.title} does not start: {self.errors[-3:]} {self.lines[-3:]}")

    def messages(self):
        """Every message as stored, with the server's own lines above it."""
        return [path.read_bytes() for path in sorted(self.mail.rglob("new/*"))]

    def contents(self):
        """Every content as stored, with CRLF for line ends, from its mark on.

        Above the mark there are header fields and nothing else.
        """
        return [self._content(message) for message in self.messages()]

    def _content(self, message):
        above, mark, below = message.replace(b"\r\n", b"\n").partition(MARK)
        expect(mark, f"{self.title} stored no mark: {message[:200]!r}")
        lines = re.sub(rb"\AFrom [^\n]*\n", b"", above)
        expect(FIELD.fullmatch(lines), f"{self.title} stored above the content: {above[:300]!r}")
        return (mark + below).replace(b"\n", b"\r\n")

    def wait_for(self, count):
        """The contents, when there are so many: servers deliver after they have answered."""
        wait_until(
            lambda: len(self.messages()) >= count,
            90,
            f"{self.title} stored {len(self.messages())} of {count} messages",
        )
        return self.contents()

    def clear(self):
        for path in self.mail.rglob("new/*"):
            path.unlink()


def unpacked(release, package):
    return HOME / "unpacked" / release / package


def apart(script, *command):
    """A command with mounts and a host name that nothing else sees, after `script` has made them."""
    return ["unshare", "--mount", "--uts", "sh", "-ec", script + '\nexec "$@"', "sh", *command]
