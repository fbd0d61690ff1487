"""What each server is tried with: one function for each column of the table."""

import random

from lab.checks import expect
from lab.interop.trial import CLEAR, IMPLICIT, PASSWORD, STARTTLS
from lab.messages import HEADER
from lab.servers.server import REFUSED
from lab.tap import Tap

YES, NO = "✓", "–"
COLUMNS = {}
EXTENSIONS = ("PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "DSN")


def column(title):
    def register(function):
        COLUMNS[title] = function
        return function

    return register


def _large():
    """Half a megabyte: lines of every length, many with leading dots, so that buffers are cut everywhere."""
    source = random.Random(2821)
    letters = bytes(source.choices(b"abcdefghij .", k=4096))
    lines = []
    while len(lines) < 1000:
        start = source.randrange(3000)
        lines.append(
            source.choice((b"", b".", b"..")) + letters[start : start + source.randrange(996)] + b"x"
        )
    return b"\r\n".join(lines) + b"\r\n"


BODIES = {
    "text": b"A plain text.\r\nIts second line.\r\n",
    "nothing": b"",
    "one empty line": b"\r\n",
    "dots": b".\r\n..\r\n...\r\n.hidden\r\n..twice\r\na.b.\r\n.\r\n\r\n.\r\n",
    "lines of 998": b"".join(letter * 998 + b"\r\n" for letter in (b"x", b".", b"y")),
    "spaces at the ends": b" front\r\nback \r\n\t\r\n",
    "like commands": b"QUIT\r\nRSET\r\nMAIL FROM:<x@test>\r\nDATA\r\nBDAT 3 LAST\r\n250 ok\r\n",
    "half a megabyte": _large(),
}
EIGHT_BIT = "Grüße, 世界\r\n".encode() + bytes(range(0xA0, 0x100)) + b"\r\n"
MIME = (
    HEADER[:-2]
    + b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
)


@column("speaks")
def speaks(trial):
    for name in trial.server.mechanisms:
        offered = (trial.offered[way].get("AUTH", "").split() for way in trial.ways()[1:])
        expect(
            trial.server.auth_door == "submission" or any(name in words for words in offered),
            f"{name} is not offered",
        )
    return " ".join(extension for extension in EXTENSIONS if trial.offers(extension)) or NO


def _by(way):
    def deliver(trial):
        if way not in trial.ways():
            return NO
        for runtime in trial.runtimes:
            trial.deliver(trial.content(b"through\r\n.\r\n"), way, runtime=runtime)
        trial.settle()
        return YES

    return deliver


for _way in (CLEAR, STARTTLS, IMPLICIT):
    column(_way)(_by(_way))


@column("AUTH")
def auth(trial):
    done = []
    for way in [way for way in trial.ways() if way != CLEAR]:
        for name in trial.server.mechanisms:
            trial.deliver(trial.content(b"from a user\r\n"), way, "--mechanism", name, login=PASSWORD)
            wrong = trial.send(
                trial.content(b"lost\r\n"), way, "--mechanism", name, login="user:wrong", code=2
            )
            expect(
                "accepted" not in wrong.words() and wrong.errors.strip(),
                f"{name} with a wrong password: {wrong.outcomes}",
            )
            if name not in done:
                done.append(name)
    if not done:
        return NO
    trial.settle()
    return " ".join(done)


def _without(extension, flag):
    def deliver(trial):
        if not trial.offers(extension):
            return "not offered"
        for way in trial.ways():
            for body in (BODIES["dots"], BODIES["half a megabyte"]):
                trial.deliver(trial.content(body), way, flag)
                trial.deliver(trial.content(body), way, "--no-pipelining", "--no-chunking")
        trial.settle()
        return YES

    return deliver


column("`--no-pipelining`")(_without("PIPELINING", "--no-pipelining"))
column("`--no-chunking`")(_without("CHUNKING", "--no-chunking"))


@column("content")
def content(trial):
    for way in trial.ways():
        for body in BODIES.values():
            trial.deliver(trial.content(body), way)
        open_end = trial.content(b"the end is open")
        trial.deliver(open_end, way, arrives=open_end + b"\r\n")
        unix = trial.content(b"lines\n.\nof Unix\n").replace(b"\r\n", b"\n")
        trial.deliver(unix, way, arrives=unix.replace(b"\n", b"\r\n"))
    trial.settle()
    return f"{len(BODIES) + 2} kinds"


@column("8-bit")
def eight_bit(trial):
    if not trial.offers("8BITMIME"):
        sent = trial.send(trial.content(EIGHT_BIT), trial.first_way(), code=1)
        expect(all(reply.startswith("- - not sent") for _, _, reply in sent.outcomes), f"{sent.outcomes}")
        return "not sent"
    for way in trial.ways():
        trial.deliver(trial.content(EIGHT_BIT, MIME), way)
    trial.settle()
    return YES


@column("SMTPUTF8")
def smtputf8(trial):
    def one(code=0, deliver=trial.deliver):
        text = trial.content("Subject: Grüße\r\n\r\n世界\r\n".encode(), HEADER[:-2])
        return deliver(text, trial.first_way(), sender="jürgen@test", to=("ü@test",), code=code)

    if not trial.offers("SMTPUTF8"):
        sent = one(1, trial.send)
        expect(sent.outcomes[0][2].startswith("- - not sent"), f"{sent.outcomes}")
        return "not sent"
    one()
    trial.settle()
    return YES


@column("one of five refused")
def one_of_five(trial):
    if not trial.server.refuses:
        return NO
    recipients = ("one@test", "two@test", REFUSED, "three@test", "four@test")
    text = trial.content(b"to four of five\r\n")
    sent = trial.send(text, trial.first_way(), to=recipients, code=1)
    expect([address for _, address, _ in sent.outcomes] == list(recipients), f"{sent.outcomes}")
    expect(sent.words() == ["accepted", "accepted", "refused", "accepted", "accepted"], f"{sent.outcomes}")
    reply = sent.outcomes[2][2].split()
    expect(reply[0].startswith("55"), f"{sent.outcomes[2]}")
    trial.expect_more([text] * (4 if trial.server.copy_for_each else 1))
    trial.settle()
    return " ".join(word for word in reply[:2] if word[0].isdigit())


@column("round trips")
def round_trips(trial):
    """What each message behind the first costs: the turns of a session of ten less those of one."""
    if CLEAR not in trial.ways():
        return NO
    turns = {}
    for count in (1, 10):
        text = trial.content(b"once more\r\n.\r\n")
        with Tap(trial.server.ports["plain"], delay=0.05) as tap:
            sent = trial.send(text, CLEAR, "--count", count, port=tap.port, runtime="blocking")
            expect(sent.words() == ["accepted"] * count, f"{sent.outcomes}")
            turns[count] = tap.turns()
        trial.expect_more([text] * count)
    trial.settle()
    further = (turns[10] - turns[1]) / 9
    if trial.offers("PIPELINING") and trial.offers("CHUNKING"):
        expect(further == 1, f"{turns[1]} turns for one message, {turns[10]} for ten")
    return f"{further:.1f}".removesuffix(".0")
