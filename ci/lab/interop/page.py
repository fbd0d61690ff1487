"""Reads and writes docs/interop.md."""

import itertools

from lab import cargo
from lab.checks import expect
from lab.interop.columns import BODIES, COLUMNS

PAGE = cargo.ROOT / "docs/interop.md"
# The results, by server and column, and by fault.
CELLS, OUTCOMES = {}, {}
# Whether the results are compared with the page.
COMPARES = True
SERVER, FAULT = "server", ("smtp-sink", "its flags", "outcome", "exit code")


def found_cell(server, column, value):
    CELLS.setdefault(server, {})[column] = value
    if COMPARES:
        known = _rows(SERVER).get(server, {}).get(column, "nothing")
        expect(value == known, f"found {value!r}; {PAGE.name} has {known!r}")


def found_fault(fault, *values):
    OUTCOMES[fault] = values
    if COMPARES:
        known = _rows(FAULT[0]).get(fault, {})
        for column, value in zip(FAULT[1:], values):
            expect(
                known.get(column) == value,
                f"{column}: found {value!r}; {PAGE.name} has {known.get(column, 'nothing')!r}",
            )


def _rows(corner):
    """The table whose first column is called `corner`: for each first cell, the others by their columns."""
    lines = PAGE.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {corner} |"))
    columns = _split(lines[start])[1:]
    table = itertools.takewhile(lambda line: line.startswith("|"), lines[start + 2 :])
    return {first: dict(zip(columns, cells)) for first, *cells in map(_split, table)}


def _split(line):
    return [cell.strip() for cell in line.strip("| ").split(" | ")]


def text():
    columns = list(COLUMNS)
    servers = _table(
        [SERVER, *columns],
        [[title, *(cells[column] for column in columns)] for title, cells in CELLS.items()],
    )
    faults = _table(FAULT, [[fault, *values] for fault, values in OUTCOMES.items()])
    return HEAD.format(kinds=", ".join(BODIES)) + servers + MISBEHAVING + faults


def _table(title, rows):
    return "".join("| " + " | ".join(row) + " |\n" for row in [title, ["---"] * len(title), *rows])


HEAD = """\
# `send` and other mail servers

`ci/run interop --write` writes this page: it starts each server on loopback, sends to it with the example `send`, and compares the
stored message byte by byte with the original (apart from line ends, if a server keeps LF). Every cell is the result of
successful runs; the three adapters take turns.

- **without TLS**, **STARTTLS**, **implicit TLS**: a message arrives, by each of the adapters; the certificate is verified. A server
  that accepts mail from users only gets a name and a password.
- **AUTH**: each mechanism that both sides have, inside TLS: with the right password or token the message arrives, with a wrong one
  no message arrives and the exit code is 2.
- **`--no-pipelining`**, **`--no-chunking`**: dots and half a megabyte arrive without the extension, although the server offers it,
  and without both.
- **content**: {kinds}; a last line without CRLF, and a file with the line ends of Unix.
- **8-bit**, **SMTPUTF8**: they arrive if the server offers the extension; otherwise `send` refuses them before it sends a byte.
- **one of five refused**: its reply; the other four are accepted, and get the message.
- **round trips**: the cost of each message after the first on a connection, of ten, counted on the wire. One is the minimum.

"""

MISBEHAVING = """
## smtp-sink, misbehaving

Five recipients each time. In every case, `send` reports only messages as accepted that got a 250 after their content.

"""
