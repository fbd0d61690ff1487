"""Counts the round trips of a message, of `ehlo` and of other clients, and writes docs/round-trips.md."""

import subprocess
import sys

from lab import cargo, provide

PAGE = cargo.ROOT / "docs/round-trips.md"
TEXT = """\
# Round trips

What a message costs on a connection that is far away: how often the client must wait for the server before it can go on. Written by
`ci/run round-trips`, with smtp-source of Postfix {postfix}.

{table}

The greeting, which comes by itself, is not counted; EHLO and QUIT are, each where it costs a wait of its own. Every client has one
connection for all its messages, to the same server, which offers PIPELINING, CHUNKING, 8BITMIME and SIZE. The messages are of a few
lines, to one recipient and to five.

They are counted on loopback by a relay between client and server that passes on what one side has said only once it is silent, so
that all a client says without waiting goes together: a round trip is a time that the client speaks after it was answered. The
rows of ehlo are counted once more in the simulation (`ehlo_testkit::simulation`), by the client's own statistics and by the clock
of a link with latency; the script fails where the three differ.

Why ehlo takes one: the next envelope goes behind the final dot (RFC 2920 §3.1), or with BDAT the content behind its envelope,
and QUIT behind the content of the last message. Each recipient still has its own reply, and one that is refused holds up
nothing.
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
