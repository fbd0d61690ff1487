"""smtp-sink with each of its faults: what `send` says of five recipients. The flags are those of `peers`."""

from collections import Counter

from lab import messages
from lab.checks import check, expect
from lab.interop.page import found_fault
from lab.peers.send import FIVE, RUNTIMES, SINK_MODES
from lab.peers.send_faults import BREAKS, REPLIES
from lab.programs import Sink, send

# Flags, exit codes that are right, flags of `send`.
FAULTS = (
    {mode: (flags, (0,), ()) for mode, flags in SINK_MODES.items()}
    | {"LMTP": (("-L",), (0,), ("--lmtp",)), "another host name": (("-h", "other.test"), (0,), ())}
    | {fault: ((flag, command), (1,), ()) for fault, (flag, command, _, _) in REPLIES.items()}
    | {
        fault: ((flag, command), (codes,) if isinstance(codes, int) else codes, ())
        for fault, (flag, command, codes) in BREAKS.items()
    }
    | {
        "a close in place of the reply to the content": (("-q", "."), (2,), ()),
        "421 after the content": (("-Q", "."), (1,), ()),
    }
)


# These are tried for every change.
QUICK = ("no ESMTP", "421 after RCPT", "a close after DATA", "a close in place of the reply to the content")


def register(fault):
    @check(f"smtp-sink: {fault}", limit=300, slow=fault not in QUICK)
    def one(work):
        runtime = RUNTIMES[len(fault) % len(RUNTIMES)]
        words, code, flags = outcome(work, fault, runtime)
        found_fault(fault, f"`{flags}`", words, str(code))


def outcome(work, fault, runtime):
    """What came of a message, and the exit code."""
    flags, codes, more = FAULTS[fault]
    with Sink(work, *flags) as peer:
        sent = send(work, peer.port, messages.DOTS, *more, runtime=runtime, to=FIVE, code=codes)
        expect(len(sent.outcomes) == len(FIVE), f"{sent.outcomes}")
        stored = peer.stored() if 0 in codes else []
        expect(
            0 not in codes or stored == [messages.DOTS.replace(b"\r", b"")], f"smtp-sink stored {stored[:1]}"
        )
    words = Counter(sent.words())
    expect("accepted" not in words or sent.code == 0, f"{sent.outcomes}")
    return ", ".join(words), sent.code, " ".join(flags)


for _fault in FAULTS:
    register(_fault)
