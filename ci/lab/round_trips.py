"""Counts the round trips of a message, of `ehlo` and of other clients, and writes docs/round-trips.md."""

import subprocess
import sys

from lab import cargo, provide

PAGE = cargo.ROOT / "docs/round-trips.md"
TEXT = """\
# Round trips

The cost of a message on a distant connection: the number of times that the client must wait for the server. Written by
`ci/run round-trips`, with smtp-source of Postfix {postfix}.

{table}

The greeting, which the server sends unasked, is not counted; EHLO and QUIT are, if they cost a separate wait. Every client has one
connection for all its messages, to the same server, which offers PIPELINING, CHUNKING, 8BITMIME and SIZE. The messages have a few
lines, and one recipient or five.

A relay between client and server counts them on loopback. It passes on the bytes of one side only when that side is silent, so
it joins all bytes that a client sends without waiting: each answer followed by more bytes of the client is a round trip. The
simulation (`ehlo_testkit::simulation`) counts the rows of ehlo again, by the client's statistics and by the clock
of a link with latency; the script fails if the three differ.

ehlo takes one because it sends the next envelope behind the final dot (RFC 2920 §3.1), or with BDAT the content behind its envelope,
and QUIT behind the content of the last message. Each recipient still has its own reply, and a refused one does not delay
the others.
"""


def main(argv):
    if argv:
        print("lab round-trips: takes no arguments", file=sys.stderr)
        return 2
    if missing := provide.missing("round-trips"):
        print(provide.advice("round-trips", missing), file=sys.stderr)
        return 2
    table = cargo.run_round_trips()
    command = ["postconf", "-d", "-h", "mail_version"]
    postfix = subprocess.run(
        command, capture_output=True, text=True, check=True, env=provide.ENVIRONMENT
    ).stdout
    PAGE.write_text(TEXT.format(postfix=postfix.strip(), table=table.strip()))
    return 0
