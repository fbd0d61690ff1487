"""What `probe` tells of mail servers written by others, compared with what Python's smtplib hears."""

import smtplib
import ssl

from lab.checks import check, expect
from lab.probe.probing import HELO, lines, probe, wrong
from lab.servers import ALL
from lab.servers.certificate import Certificate
from lab.servers.dns_server import Nsd

# Keywords of these servers that no RFC and no registry has.
UNKNOWN = {"exim": {"PIPECONNECT"}, "exim498": {"PIPECONNECT"}}
# The keywords that each must offer, without TLS and inside TLS, so that two empty lists do not pass.
OFFERED = {
    "postfix": (
        {
            "PIPELINING",
            "SIZE",
            "VRFY",
            "ETRN",
            "STARTTLS",
            "ENHANCEDSTATUSCODES",
            "8BITMIME",
            "DSN",
            "SMTPUTF8",
            "CHUNKING",
        },
        {"AUTH"},
    ),
    "exim": ({"SIZE", "8BITMIME", "PIPELINING", "CHUNKING", "STARTTLS", "PRDR", "DSN", "SMTPUTF8"}, {"AUTH"}),
    "exim498": ({"LIMITS", "SIZE", "8BITMIME", "PIPELINING", "CHUNKING", "STARTTLS", "PRDR"}, {"AUTH"}),
    "opensmtpd": ({"8BITMIME", "ENHANCEDSTATUSCODES", "SIZE", "DSN", "STARTTLS"}, set()),
    "sendmail": (
        {
            "ENHANCEDSTATUSCODES",
            "EXPN",
            "VERB",
            "8BITMIME",
            "SIZE",
            "DSN",
            "ETRN",
            "STARTTLS",
            "DELIVERBY",
            "HELP",
        },
        {"AUTH"},
    ),
    "aiosmtpd": ({"SIZE", "8BITMIME", "SMTPUTF8", "STARTTLS", "HELP"}, {"AUTH"}),
    "smtpserver": ({"PIPELINING", "8BITMIME", "SMTPUTF8", "STARTTLS", "SIZE"}, {"AUTH"}),
    "haraka": ({"PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE", "STARTTLS"}, {"AUTH"}),
}
# Their faults in this configuration: they allow passwords without TLS from the local network.
WRONG = {
    "smtpserver": ["AUTH invites passwords outside TLS: PLAIN, LOGIN."],
    "haraka": ["AUTH invites passwords outside TLS: PLAIN, LOGIN."],
}


def heard(port, tls):
    """The lines of the EHLO replies that smtplib gets, before and after STARTTLS or inside implicit TLS."""
    context = ssl._create_unverified_context()
    if tls == "implicit":
        with smtplib.SMTP_SSL("127.0.0.1", port, HELO, timeout=20, context=context) as client:
            return None, keywords(client)
    with smtplib.SMTP("127.0.0.1", port, HELO, timeout=20) as client:
        before = keywords(client)
        code, _ = client.starttls(context=context)
        expect(code == 220, f"smtplib has no TLS: {code}")
        return before, keywords(client)


def keywords(client):
    code, answer = client.ehlo()
    expect(code == 250, f"smtplib is refused: {code} {answer}")
    return sorted(answer.decode("latin-1").split("\n")[1:])


@check("{name}, TLS {tls}: the keywords", limit=90, name=OFFERED, tls=("opportunistic", "implicit"))
def decoded(work, name, tls):
    certificate = Certificate(work / "tls")
    with Nsd(work) as dns, ALL[name](work, certificate) as server:
        port = server.ports["implicit" if tls == "implicit" else "plain"]
        expected = [] if tls == "implicit" else WRONG.get(name, [])
        told = probe(work, f"127.0.0.1:{port}", dns, "--tls", tls, code=1 if expected else 0)
        expect(wrong(told) == expected, f"the findings are {wrong(told)}")
        before, inside = heard(port, tls)
        for hello, expected in ((told["ehlo"], before), (told["ehlo_in_tls"], inside)):
            expect(
                (hello and lines(hello)) == expected,
                f"told {hello and lines(hello)}, smtplib hears {expected}",
            )
            unexplained = {
                keyword["line"].split()[0]
                for keyword in (hello or told["ehlo_in_tls"])["keywords"]
                if not keyword["meaning"]
            }
            expect(unexplained <= UNKNOWN.get(name, set()), f"not explained: {unexplained}")
        must, must_inside = OFFERED[name]
        named = {keyword["keyword"] for keyword in told["ehlo_in_tls"]["keywords"]}
        missing = ((must - {"STARTTLS"}) | must_inside) - named
        expect(not missing and "STARTTLS" not in named, f"inside TLS there is {named}, without {missing}")
        if before is not None:
            named = {keyword["keyword"] for keyword in told["ehlo"]["keywords"]}
            expect(must <= named, f"without TLS there is no {must - named}")
        shown = told["tls"]["certificate"]
        expect(
            shown["subject"] == "CN=localhost" and shown["issuer"] == "CN=authority.test",
            f"certificate {shown}",
        )
        expect(shown["names"] == ["localhost", "mx.test", "127.0.0.1"], f"names {shown['names']}")
        expect(
            told["tls"]["version"] in ("TLS 1.2", "TLS 1.3") and shown["not_after"].endswith("+0000"),
            f"tls {told['tls']}",
        )
        expect(told["helo"]["code"] == 250, f"HELO was answered {told['helo']}")


# The server's own words for itself, and what it is taken for.
SOFTWARE = {
    "postfix": "Postfix",
    "exim": "Exim",
    "opensmtpd": "OpenSMTPD",
    "sendmail": "Sendmail",
    "haraka": "Haraka",
}


@check("{name}: it is recognised, and one's own name is wrong", limit=60, name=SOFTWARE)
def told_what_to_change(work, name):
    certificate = Certificate(work / "tls")
    with Nsd(work) as dns, ALL[name](work, certificate) as server:
        flags = ("--tls", "off", "--helo", "missing.test", "--ip", "192.0.2.20")
        told = probe(work, f"127.0.0.1:{server.ports['plain']}", dns, *flags, code=1)
        expect(told["software"] == SOFTWARE[name], f"{name} is taken for {told['software']}")
        expect(told["tls"]["result"] == "untried" and told["ehlo_in_tls"] is None, f"tls {told['tls']}")
        found = [text for text in wrong(told) if text not in WRONG.get(name, [])]
        expect(len(found) == 1 and "no reverse DNS name" in found[0], f"the findings are {wrong(told)}")


@check("smtp-sink without EHLO: HELO is tried")
def no_extensions(work):
    with Nsd(work) as dns, ALL["sink"](work, None, "-e") as server:
        told = probe(work, f"127.0.0.1:{server.ports['plain']}", dns, code=1)
        expect(told["helo"]["code"] == 250, f"HELO was answered {told['helo']}")
        expect(any("EHLO is refused" in text for text in wrong(told)), f"the findings are {wrong(told)}")
