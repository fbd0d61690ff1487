"""`send` delivers to servers written by others, and to `receive`."""

import re

from lab import messages
from lab.checks import check, expect, expect_same
from lab.messages import closed
from lab.programs import Aiosmtpd, Receive, Sink, send
from lab.tap import Tap

RUNTIMES = ("blocking", "tokio", "async-std")
SERVERS = {"smtp-sink": Sink, "aiosmtpd": Aiosmtpd}
REPEATED = 20
TYPICAL = 500 - REPEATED * len(messages.SMALL) - 1
FIVE = tuple(f"{name}@test" for name in ("one", "two", "three", "four", "five"))


def accepted(count):
    return ["accepted"] * count


@check(
    "send --runtime {runtime} delivers 500 messages of every kind to {server}",
    limit=90,
    runtime=RUNTIMES,
    server=tuple(SERVERS),
)
def five_hundred(work, runtime, server):
    expected = []
    with SERVERS[server](work) as peer:
        for content, count in [(one, REPEATED) for one in messages.SMALL.values()] + [
            (messages.LARGE, 1),
            (messages.PLAIN, TYPICAL),
        ]:
            # The contents have their CRLFs; a dot or a line end that the way through `--newlines` moved
            # would show.
            sent = send(work, peer.port, content, "--count", count, runtime=runtime, timeout=60)
            expect(
                sent.words() == accepted(count),
                f"outcomes {sent.outcomes[:2]}, {len(sent.outcomes)} lines for {count}",
            )
            expected += [closed(content)] * count
        expect(len(expected) == 500, f"sent {len(expected)}")
        peer.expect_stored(expected)


@check("send --runtime {runtime} delivers every kind of content to receive", limit=60, runtime=RUNTIMES)
def to_receive(work, runtime):
    with Receive(work) as peer:
        for content in messages.ALL.values():
            expect(send(work, peer.port, content, runtime=runtime).words() == accepted(1), "not accepted")
        peer.expect_stored(*(closed(content) for content in messages.ALL.values()))


SINK_MODES = {
    "no PIPELINING": ("-p",),
    "no ESMTP": ("-e",),
    "an unreadable greeting": ("-P",),
    "no 8BITMIME": ("-8",),
    "no ENHANCEDSTATUSCODES": ("-E",),
    "no DSN, AUTH, XCLIENT, XFORWARD": ("-N", "-a", "-C", "-F"),
    "EHLO refused": ("-f", "ehlo"),
    "QUIT refused": ("-f", "quit"),
    "a close in place of the reply to QUIT": ("-q", "quit"),
    "a late reply to DATA": ("-w", "1"),
}


@check("send --runtime {runtime} delivers to smtp-sink with {mode}", runtime=RUNTIMES, mode=tuple(SINK_MODES))
def sink_modes(work, runtime, mode):
    with Sink(work, *SINK_MODES[mode]) as peer:
        for content in (messages.DOTS, b""):
            sent = send(work, peer.port, content, runtime=runtime, to=FIVE)
            expect(sent.words() == accepted(5), f"outcomes {sent.outcomes}")
            expect([address for _, address, _ in sent.outcomes] == list(FIVE), f"addresses {sent.outcomes}")
        peer.expect_stored([messages.DOTS, b""])


@check(
    "send --runtime {runtime} delivers to four of five recipients and names the fifth with its reply",
    runtime=RUNTIMES,
)
def one_of_five_refused(work, runtime):
    with Aiosmtpd(work, "--refuse", "five@test") as peer:
        sent = send(work, peer.port, messages.DOTS, runtime=runtime, to=FIVE, code=1)
        expect(sent.words() == accepted(4) + ["refused"], f"outcomes {sent.outcomes}")
        expect(
            sent.outcomes[4][1:] == ("five@test", "550 5.1.1 no such user here"),
            f"fifth outcome {sent.outcomes[4]}",
        )
        peer.expect_stored([messages.DOTS])
        expect(peer.envelopes()[0]["to"] == list(FIVE[:4]), f"delivered to {peer.envelopes()[0]['to']}")


@check("send --runtime {runtime} tells apart accepted, refused and deferred recipients", runtime=RUNTIMES)
def mixed_recipients(work, runtime):
    with Aiosmtpd(work, "--refuse", "one@test", "--defer", "three@test") as peer:
        sent = send(work, peer.port, messages.PLAIN, runtime=runtime, to=FIVE, code=1)
        expect(
            sent.words() == ["refused", "accepted", "deferred", "accepted", "accepted"],
            f"outcomes {sent.outcomes}",
        )
        expect(sent.outcomes[2][2] == "451 4.3.0 come back later", f"third outcome {sent.outcomes[2]}")
        peer.expect_stored([messages.PLAIN])


@check("send --runtime {runtime} delivers nothing when every recipient is refused", runtime=RUNTIMES)
def all_refused(work, runtime):
    with Aiosmtpd(work, "--refuse", "one@test", "--defer", "two@test") as peer:
        sent = send(work, peer.port, messages.PLAIN, "--count", "2", runtime=runtime, to=FIVE[:2], code=1)
        expect(sent.words() == ["refused", "deferred"] * 2, f"outcomes {sent.outcomes}")
        peer.expect_stored([])


@check(
    "send --runtime {runtime} carries the envelope: null reverse-path, BODY, SMTPUTF8, HELO name",
    runtime=RUNTIMES,
)
def envelope(work, runtime):
    with Aiosmtpd(work) as peer:
        send(work, peer.port, messages.PLAIN, runtime=runtime, sender="")
        send(work, peer.port, messages.EIGHT_BIT, "--body", "8bitmime", runtime=runtime)
        send(
            work,
            peer.port,
            messages.EIGHT_BIT,
            "--smtputf8",
            runtime=runtime,
            sender="jürgen@bücher.test",
            to=("用户@test",),
        )
        null, eight_bit, utf8 = peer.envelopes()
        expect(null["from"] == "<>" and null["helo"] == "client.test", f"null reverse-path: {null}")
        expect("BODY=8BITMIME" in [option.upper() for option in eight_bit["options"]], f"8 bit: {eight_bit}")
        expect(
            "SMTPUTF8" in utf8["options"]
            and (utf8["from"], utf8["to"]) == ("jürgen@bücher.test", ["用户@test"]),
            f"SMTPUTF8: {utf8}",
        )
        peer.expect_stored([messages.PLAIN, messages.EIGHT_BIT, messages.EIGHT_BIT])


POLICIES = ("default", "normalise", "keep", "reject")


@check(
    "send --runtime {runtime} --newlines {policy} treats the bare newlines of a file",
    runtime=RUNTIMES,
    policy=POLICIES,
)
def newlines(work, runtime, policy):
    flags = () if policy == "default" else ("--newlines", policy)
    text = b"Subject: unix\n\n.\n..\ntext\n.\r\nlast"
    both = b"one\rtwo\nthree\r\n"
    with Aiosmtpd(work) as peer:
        for content in (text, both):
            send(work, peer.port, content, *flags, runtime=runtime, code=(1, 2) if policy == "reject" else 0)
        if policy == "reject":
            peer.expect_stored([])
        elif policy == "keep":
            peer.expect_stored([closed(text), both])
        else:
            first, second = peer.stored()
            expect_same(first, closed(messages.crlf(text)), "aiosmtpd stored")
            bare = re.search(rb"\r(?!\n)|(?<!\r)\n", second)
            expect(second.split() == [b"one", b"two", b"three"] and not bare, f"stored {second!r}")


@check("send --runtime {runtime} reads standard input when no file is named", runtime=RUNTIMES)
def standard_input(work, runtime):
    with Aiosmtpd(work) as peer:
        sent = send(work, peer.port, messages.DOTS, runtime=runtime, standard_input=True)
        expect(sent.words() == accepted(1), f"outcomes {sent.outcomes}")
        peer.expect_stored([messages.DOTS])


@check("send --runtime {runtime} pipelines a transaction when smtp-sink offers it", runtime=RUNTIMES)
def pipelines(work, runtime):
    with Sink(work) as peer, Tap(peer.port, delay=0.1) as tap:
        send(work, tap.port, messages.DOTS, runtime=runtime, to=FIVE)
        most = tap.most_outstanding()
        expect(most >= 6, f"at most {most} commands at once, of MAIL, five RCPT and DATA")
        peer.expect_stored([messages.DOTS])


@check(
    "send --runtime {runtime} waits for each reply {case}",
    runtime=RUNTIMES,
    case=("when PIPELINING is not offered", "with --no-pipelining"),
)
def lock_step(work, runtime, case):
    hidden = case == "when PIPELINING is not offered"
    with Sink(work, *(["-p"] if hidden else [])) as peer, Tap(peer.port, delay=0.05) as tap:
        send(
            work, tap.port, messages.DOTS, *([] if hidden else ["--no-pipelining"]), runtime=runtime, to=FIVE
        )
        most = tap.most_outstanding()
        expect(most == 1, f"{most} commands at once")
        peer.expect_stored([messages.DOTS])


@check("send --runtime {runtime} --transcript shows the session on standard error only", runtime=RUNTIMES)
def transcript(work, runtime):
    with Aiosmtpd(work) as peer:
        sent = send(work, peer.port, messages.PLAIN, "--transcript", runtime=runtime)
        for part in (
            "EHLO client.test",
            "MAIL FROM:<a@test>",
            "RCPT TO:<u@test>",
            "250 2.0.0 stored",
            "QUIT",
        ):
            expect(part in sent.errors, f"no {part!r} in {sent.errors[:300]!r}")
