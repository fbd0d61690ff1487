"""`send` against servers that refuse, hang up or do not exist: its outcomes and exit codes."""

from lab import messages
from lab.checks import check, expect
from lab.peers.send import FIVE, RUNTIMES
from lab.programs import Aiosmtpd, Sink, free_port, send
from lab.tap import Tap

SOFT, HARD = "450 4.3.0 Error: command failed", "500 5.3.0 Error: command failed"

# A reply decides for all recipients: smtp-sink's flags, exit code, outcome, reply.
REPLIES = {
    "MAIL refused": ("-f", "mail", "refused", HARD),
    "MAIL deferred": ("-r", "mail", "deferred", SOFT),
    "RCPT refused": ("-f", "rcpt", "refused", HARD),
    "RCPT deferred": ("-r", "rcpt", "deferred", SOFT),
    "DATA refused": ("-f", "data", "refused", HARD),
    "DATA deferred": ("-r", "data", "deferred", SOFT),
    "the content refused": ("-f", ".", "refused", HARD),
    "the content deferred": ("-r", ".", "deferred", SOFT),
}


@check("send --runtime {runtime} reports {fault} for each recipient", runtime=RUNTIMES, fault=tuple(REPLIES))
def replies(work, runtime, fault):
    flag, command, word, reply = REPLIES[fault]
    with Sink(work, flag, command) as peer:
        sent = send(work, peer.port, messages.PLAIN, runtime=runtime, to=FIVE, code=1)
        expect(sent.outcomes == [(word, address, reply) for address in FIVE], f"outcomes {sent.outcomes}")


# The connection ends early: smtp-sink's flags and the exit codes that are right. Nothing can have been
# accepted.
BREAKS = {
    "a close at once": ("-q", "connect", 2),
    "a close after EHLO": ("-q", "ehlo", 2),
    "a close after MAIL": ("-q", "mail", 2),
    "a close after RCPT": ("-q", "rcpt", 2),
    "a close after DATA": ("-q", "data", 2),
    "a refusal in place of the greeting": ("-f", "connect", (1, 2)),
    "421 in place of the greeting": ("-Q", "connect", (1, 2)),
    "EHLO and HELO refused": ("-f", "ehlo,helo", (1, 2)),
    "421 after RCPT": ("-Q", "rcpt", (1, 2)),
    "421 after DATA": ("-Q", "data", (1, 2)),
    "a reply before the content has ended": ("-A", "0", (1, 2)),
}


@check("send --runtime {runtime} accepts nothing on {fault}", runtime=RUNTIMES, fault=tuple(BREAKS))
def breaks(work, runtime, fault):
    flag, command, code = BREAKS[fault]
    with Sink(work, flag, command) as peer:
        for content in (messages.PLAIN, messages.LARGE):
            sent = send(work, peer.port, content, runtime=runtime, to=FIVE, code=code)
            expect(not {"accepted", "unknown"} & set(sent.words()), f"outcomes {sent.outcomes}")
            expect(sent.code == 1 or sent.errors.strip(), "exit code 2 without a word on standard error")


@check(
    "send --runtime {runtime} calls the outcome unknown when the connection breaks after the final dot",
    runtime=RUNTIMES,
)
def unknown(work, runtime):
    with Sink(work, "-q", ".") as peer:
        sent = send(work, peer.port, messages.PLAIN, runtime=runtime, to=FIVE, code=2)
        expect(
            [(word, address) for word, address, _ in sent.outcomes]
            == [("unknown", address) for address in FIVE],
            f"outcomes {sent.outcomes}",
        )


@check("send --runtime {runtime} defers on 421 after the final dot", runtime=RUNTIMES)
def closing_after_dot(work, runtime):
    with Sink(work, "-Q", ".") as peer:
        sent = send(work, peer.port, messages.PLAIN, runtime=runtime, to=FIVE, code=1)
        expect(sent.words() == ["deferred"] * 5, f"outcomes {sent.outcomes}")
        expect(all(reply.startswith("421 ") for _, _, reply in sent.outcomes), f"replies {sent.outcomes}")


@check("send --runtime {runtime} sends nothing that is over the size a server takes", runtime=RUNTIMES)
def too_large(work, runtime):
    with Aiosmtpd(work, "--size", "1000") as peer:
        sent = send(work, peer.port, messages.PLAIN * 20, runtime=runtime, to=FIVE[:2], code=1)
        expect(sent.words() == ["refused"] * 2, f"outcomes {sent.outcomes}")
        # Refused before a byte is sent, so there is no reply.
        expect(all(reply.startswith("- - ") for _, _, reply in sent.outcomes), f"replies {sent.outcomes}")
        peer.expect_stored([])


@check(
    "send --runtime {runtime} asks for no {extension} that is not offered",
    runtime=RUNTIMES,
    extension=("SMTPUTF8", "BODY"),
)
def not_offered(work, runtime, extension):
    flags = {"SMTPUTF8": ["--smtputf8"], "BODY": ["--body", "8bitmime"]}[extension]
    sender = {"SMTPUTF8": "jürgen@test", "BODY": "a@test"}[extension]
    with Sink(work, "-8") as peer, Tap(peer.port) as tap:
        sent = send(work, tap.port, messages.EIGHT_BIT, *flags, runtime=runtime, sender=sender, code=(1, 2))
        expect("accepted" not in sent.words(), f"outcomes {sent.outcomes}")
        expect(extension.encode() not in tap.said("C"), f"said {tap.said('C')[:200]!r}")
        peer.expect_stored([])


@check("send --runtime {runtime} ends with 2 when nobody listens", runtime=RUNTIMES)
def nobody_listens(work, runtime):
    sent = send(work, free_port(), messages.PLAIN, runtime=runtime, code=2)
    expect(sent.words() == ["deferred"], f"{sent.outcomes}")
    expect(len(sent.errors.strip().splitlines()) == 1, f"{sent.errors!r}")


@check(
    "send --runtime {runtime} ends with 2 when the file does not exist and delivers nothing", runtime=RUNTIMES
)
def no_file(work, runtime):
    with Aiosmtpd(work) as peer:
        sent = send(work, peer.port, None, runtime=runtime, code=2)
        expect(not sent.outcomes and sent.errors.strip(), f"{sent.outcomes}, {sent.errors!r}")
        peer.expect_stored([])


@check("send ends with 2 for a flag it does not know and delivers nothing")
def unknown_flag(work):
    with Aiosmtpd(work) as peer:
        sent = send(work, peer.port, messages.PLAIN, "--no-such-flag", runtime="blocking", code=2)
        expect(sent.errors.strip(), "nothing on standard error")
        peer.expect_stored([])
