"""The contents of test messages, and their correct form on the wire."""

import random


def crlf(text):
    """The form in which text with Unix line ends travels."""
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def closed(content):
    """What arrives of a content: its last line is closed, since CRLF "." CRLF cannot end an open one."""
    return content if not content or content.endswith(b"\r\n") else content + b"\r\n"


def _large(size=10 * 1024 * 1024):
    """Lines of every length, many with leading dots, so that buffers are cut in every place."""
    source = random.Random(5321)
    letters = bytes(source.choices(b"abcdefghij .", k=4096))
    lines, length = [b"Subject: large", b""], 18
    while length < size:
        start = source.randrange(3000)
        line = source.choice((b"", b"", b".", b"..")) + letters[start : start + source.randrange(990)]
        lines.append(line)
        length += len(line) + 2
    return b"\r\n".join(lines)[: size - 2].rstrip(b"\r\n").ljust(size - 2, b"x") + b"\r\n"


HEADER = b"From: a@test\r\nTo: u@test\r\nDate: Mon, 01 Jan 2024 00:00:00 +0000\r\nMessage-ID: <1@client.test>\r\nSubject: hello\r\n\r\n"
PLAIN = HEADER + b"A plain text.\r\nIts second line.\r\n"
DOTS = HEADER + b".\r\n..\r\n...\r\n.hidden\r\n..twice\r\na.b.\r\n.\r\n\r\n.\r\n"
EIGHT_BIT = HEADER + "Grüße, 世界\r\n".encode() + bytes(range(0x80, 0x100)) + b"\r\n"
LARGE = _large()

SMALL = {
    "plain": PLAIN,
    "empty": b"",
    "one empty line": b"\r\n",
    "one dot": b".\r\n",
    "only dots": b".\r\n..\r\n...\r\n....\r\n.\r\n",
    "dots at line starts": DOTS,
    "no final CRLF": HEADER + b"the end is open",
    "open line of a dot": HEADER + b"text\r\n.",
    "open content of a dot": b".",
    "empty lines and dots": HEADER + b"\r\n\r\n.\r\n\r\n..\r\n.\r\n\r\n\r\n",
    "8 bit": EIGHT_BIT,
    "lines of 998": HEADER + b"".join(c * 998 + b"\r\n" for c in (b"x", b".", b"y")),
    "leading space": b" folded into nothing\r\n\r\ntext\r\n",
    "like commands": b"QUIT\r\nRSET\r\nMAIL FROM:<x@test>\r\nRCPT TO:<y@test>\r\nDATA\r\n",
    "like replies": b"250 ok\r\n354 go on\r\n421 4.3.2 bye\r\n",
    "control characters": HEADER + bytes(c for c in range(1, 32) if c not in b"\r\n") + b"\x7f\r\n",
}
ALL = SMALL | {"10 MiB": LARGE}
