"""Runs the example `probe`."""

import json

from lab import programs
from lab.checks import expect

HELO = "client.test"


def probe(work, address, dns, *flags, code):
    """Its JSON output, after it has ended with `code`; the output for people must agree with it."""
    flags = ("--timeout", "20", "--dns", dns.address, *flags)
    command = [
        programs.EXAMPLES / "probe",
        address,
        *(() if "--helo" in flags else ("--helo", HELO, "--ip", "192.0.2.10")),
        *flags,
    ]
    done = programs.run(work, *command, "--json", code=code)
    expect(not done.stderr, f"probe wrote to standard error: {done.stderr[-300:]!r}")
    told = json.loads(done.stdout)
    expect(told["sound"] == (code == 0), f"sound is {told['sound']}, and it ended with {code}")
    text = programs.run(work, *command, code=code).stdout.decode()
    expect("\x1b" not in text, "colours in a pipe")
    for hello in filter(None, (told["ehlo"], told["ehlo_in_tls"])):
        for keyword in hello["keywords"]:
            meaning = keyword["meaning"] or "Not "
            expect(
                any(keyword["line"] in line and meaning in line for line in text.splitlines()),
                f"no line for {keyword}",
            )
    for finding in told["findings"]:
        expect(finding["text"] in text, f"not printed: {finding['text']}")
    return told


def lines(hello):
    """The keywords with their parameters, as they came."""
    return sorted(keyword["line"] for keyword in hello["keywords"])


def wrong(told):
    return [finding["text"] for finding in told["findings"] if finding["level"] == "wrong"]
