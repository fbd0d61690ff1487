"""Reads the messages that `receive --maildir` has stored."""

import re
from dataclasses import dataclass

DATE = rb"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)? [+-]\d{4}(?: \([^()\r\n]*\))?"

# The Received header ends at its date, not at the first line that is no continuation: a content may
# itself begin with a space.
TRACE = re.compile(
    rb"Return-Path: <(?P<sender>[^\r\n]*)>\r\n"
    rb"(?P<delivered>(?:Delivered-To: [^\r\n]+\r\n)+)"
    rb"(?P<received>Received: (?:[^\r\n]|\r\n[ \t])*?;(?:\r\n)?[ \t]+" + DATE + rb")\r\n"
)

# What begins with a field or an empty line, or is empty, needs none in front.
FIELDS = re.compile(rb"[!-9;-~]{1,997}[ \t]*:|\r\n|\Z")


@dataclass
class Stored:
    sender: bytes
    recipients: list
    received: bytes
    content: bytes


def strip_trace(data):
    """Takes the lines that the receiver wrote off the top, and nothing else."""
    trace = TRACE.match(data)
    if not trace:
        raise AssertionError(
            f"no Return-Path, Delivered-To and Received lines, ended by CRLF, above the content: {data[:160]!r}"
        )
    recipients = [line.split(b": ", 1)[1].strip(b"<>") for line in trace["delivered"].splitlines()]
    content = data[trace.end() :]
    # An empty line keeps content that does not begin with a field from continuing one of the receiver.
    if content.startswith(b"\r\n") and not FIELDS.match(content, 2):
        content = content[2:]
    return Stored(trace["sender"], recipients, trace["received"], content)


def unfinished(maildir):
    """Names in tmp: messages that began and neither arrived nor were cleared away."""
    folder = maildir / "tmp"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def stored(maildir):
    folder = maildir / "new"
    paths = sorted(folder.iterdir()) if folder.exists() else []
    return [strip_trace(path.read_bytes()) for path in paths]
