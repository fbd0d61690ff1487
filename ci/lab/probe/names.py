"""What `probe` says of names and addresses, by the answers of a DNS server."""

from lab.checks import check, expect
from lab.probe.probing import probe, wrong
from lab.programs import Receive
from lab.servers.dns_server import Nsd

# name, address: syntax, claim, iprev, the name that is verified, and words of each finding.
OWN = {
    "good": ("client.test", "192.0.2.10", "FullyQualified", "Matches", "pass", "client.test", []),
    "good, by IPv6": ("six.test", "2001:db8::10", "FullyQualified", "Matches", "pass", "six.test", []),
    "good, by a mapped address": (
        "client.test",
        "::ffff:192.0.2.10",
        "FullyQualified",
        "Matches",
        "pass",
        "client.test",
        [],
    ),
    "good, with a literal": (
        "[192.0.2.10]",
        "192.0.2.10",
        "AddressLiteral",
        "Matches",
        "pass",
        "client.test",
        [],
    ),
    "good, the second name of several": (
        "several.test",
        "192.0.2.40",
        "FullyQualified",
        "Matches",
        "pass",
        "several.test",
        [],
    ),
    "good, by an alias of RFC 2317": (
        "alias.test",
        "192.0.2.60",
        "FullyQualified",
        "Matches",
        "pass",
        "alias.test",
        [],
    ),
    "generic": (
        "192-0-2-50.pool.test",
        "192.0.2.50",
        "FullyQualified",
        "Matches",
        "pass",
        "192-0-2-50.pool.test",
        [],
    ),
    "reverse missing": (
        "missing.test",
        "192.0.2.20",
        "FullyQualified",
        "Matches",
        "permerror",
        None,
        ["no reverse DNS name", "550 5.7.25"],
    ),
    "reverse mismatching": (
        "mismatch.test",
        "192.0.2.30",
        "FullyQualified",
        "Matches",
        "fail",
        None,
        ["other.test", "550 5.7.25"],
    ),
    "reverse dangling": (
        "dangling.test",
        "192.0.2.31",
        "FullyQualified",
        "Matches",
        "fail",
        None,
        ["gone.test", "550 5.7.25"],
    ),
    "reverse failing": (
        "failing.test",
        "198.51.100.1",
        "FullyQualified",
        "Matches",
        "temperror",
        None,
        ["cannot be looked up now", "451 4.7.25"],
    ),
    "name of the address failing": (
        "broken-name.test",
        "192.0.2.70",
        "FullyQualified",
        "Matches",
        "temperror",
        None,
        ["cannot be looked up now"],
    ),
    "name elsewhere": (
        "elsewhere.test",
        "192.0.2.10",
        "FullyQualified",
        "Elsewhere",
        "pass",
        "client.test",
        ["other addresses"],
    ),
    "name without address": (
        "nowhere.test",
        "192.0.2.10",
        "FullyQualified",
        "NoAddress",
        "pass",
        "client.test",
        ["no address in DNS"],
    ),
    "name failing": (
        "mail.broken",
        "192.0.2.10",
        "FullyQualified",
        "TemporaryFailure",
        "pass",
        "client.test",
        ["cannot be looked up now"],
    ),
    "literal of another": (
        "[192.0.2.11]",
        "192.0.2.10",
        "AddressLiteral",
        "Elsewhere",
        "pass",
        "client.test",
        ["is not the address"],
    ),
    "bare label": (
        "client",
        "192.0.2.10",
        "NotFullyQualified",
        "Unchecked",
        "pass",
        "client.test",
        ["not fully qualified", "501 5.5.4"],
    ),
    "localhost": (
        "localhost",
        "192.0.2.10",
        "NotFullyQualified",
        "Unchecked",
        "pass",
        "client.test",
        ["not fully qualified", "localhost means"],
    ),
}


@check("one's own name: {case}", case=OWN)
def own(work, case):
    name, address, syntax, claim, iprev, verified, words = OWN[case]
    with Nsd(work) as dns, Receive(work) as server:
        told = probe(
            work, f"127.0.0.1:{server.port}", dns, "--helo", name, "--ip", address, code=1 if words else 0
        )
        [of_server, found] = told["checks"]
        expect(
            (of_server["of"], of_server["claim"], of_server["iprev"]) == ("server", "Matches", "pass"),
            f"the server is {of_server}",
        )
        expect((found["of"], found["name"]) == ("own", name), f"checked {found}")
        got = tuple(found[key] for key in ("syntax", "claim", "iprev", "verified_name"))
        expect(got == (syntax, claim, iprev, verified), f"found {got}")
        expect(found["generic"] == (case == "generic"), f"generic is {found['generic']}")
        texts = " / ".join(wrong(told))
        expect(all(word in texts for word in words), f"the findings are {texts}")
        for finding in told["findings"]:
            expect(finding["change"] or finding["level"] == "notice", f"nothing to change for {finding}")


# The name that the server announces: claim, code, words of the finding.
ANNOUNCED = {
    "mx.test": ("Matches", 0, ""),
    "elsewhere.test": ("Elsewhere", 1, "other addresses than 127.0.0.1"),
    "nowhere.test": ("NoAddress", 1, "no address in DNS"),
    "mail.broken": ("TemporaryFailure", 1, "cannot be looked up now"),
    "mx": ("Unchecked", 1, "not fully qualified"),
}


@check("a server that says it is {name}", name=ANNOUNCED)
def announced(work, name):
    claim, code, words = ANNOUNCED[name]
    with Nsd(work) as dns, Receive(work, "--hostname", name) as server:
        told = probe(work, f"127.0.0.1:{server.port}", dns, code=code)
        expect(told["greeting"]["domain"] == name, f"greeting {told['greeting']}")
        expect(told["checks"][0]["claim"] == claim, f"found {told['checks'][0]}")
        expect(words in " / ".join(wrong(told)), f"the findings are {wrong(told)}")
        remedies = [
            line for finding in told["findings"] if finding["level"] == "wrong" for line in finding["change"]
        ]
        expect(
            code == 0 or claim == "TemporaryFailure" or any("myhostname" in line for line in remedies),
            f"remedies {remedies}",
        )


@check("the server by its name in DNS")
def by_name(work):
    with Nsd(work) as dns, Receive(work) as server:
        told = probe(work, f"mx.test:{server.port}", dns, code=0)
        expect(
            (told["host"], told["address"]) == ("mx.test", "127.0.0.1"),
            f"talked to {told['host']} {told['address']}",
        )
