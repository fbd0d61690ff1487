"""docs/interop.md."""

HEAD = """\
# `send` and the servers of others

`ci/interop/run --all` writes this page: it starts each server on loopback, tries the example `send` with it, and compares what the
server has stored octet by octet with what was to be sent (line ends apart, where a server keeps LF). Every cell is the result of
runs that had to succeed; the three adapters take turns.

- **in clear**, **STARTTLS**, **implicit TLS**: a message arrives, by each of the adapters; the certificate is verified. A server
  that takes mail from users only is told a name and a password.
- **AUTH**: each mechanism that both sides have, inside TLS: with the right password or token the message arrives, with a wrong one
  nothing does and the exit code is 2.
- **`--no-pipelining`**, **`--no-chunking`**: dots and half a megabyte arrive without the extension that the server offers, and
  without both.
- **content**: {kinds}; a last line without CRLF, and a file with the line ends of Unix.
- **8-bit**, **SMTPUTF8**: they arrive where the extension is offered; elsewhere they are refused before an octet is sent.
- **one of five refused**: its reply; the other four are accepted, and get the message.
- **round trips**: what each message costs behind the first on its connection, of ten, counted on the wire. One is the least.

"""

FAULTS = """
## smtp-sink, misbehaving

Five recipients each time. Whatever is done to it, `send` calls nothing accepted that was not answered with 250 after its content.

"""


def rows(title, cells):
    return "".join("| " + " | ".join(row) + " |\n" for row in [title, ["---"] * len(title), *cells])


def page(columns, servers, faults, kinds):
    table = rows(["server", *columns], [[title, *cells] for title, cells in servers])
    misbehaving = rows(["smtp-sink", "its flags", "outcome", "exit code"], faults)
    return HEAD.format(kinds=kinds) + table + FAULTS + misbehaving
