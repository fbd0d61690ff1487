"""Mail programs written by others deliver to `receive`."""

import re
import smtplib

from lab import messages
from lab.checks import check, expect, expect_same, wait_until
from lab.messages import crlf
from lab.programs import Program, Receive, run

UNIX_TEXT = (
    b"From: a@test\nTo: u@test\nDate: Mon, 01 Jan 2024 00:00:00 +0000\nMessage-ID: <1@client.test>\nSubject: hello\n\n"
    b"text\n.\n..\n.hidden\n\n\nGr\xc3\xbc\xc3\x9fe\nlast\n"
)


def deliver_with(client):
    """A check of one client: `client(work, port)` sends a message and returns the content to arrive."""

    def one_message(work):
        with Receive(work) as server:
            content = client(work, server.port)
            [message] = server.expect_stored(content)
            expect((message.sender, message.recipients) == (b"a@test", [b"u@test"]), f"envelope {message}")

    check(f"receive takes mail from {client.__name__.replace('_', ' ')}")(one_message)
    return client


def _swaks(work, port, *flags):
    file = work / "message"
    file.write_bytes(UNIX_TEXT)
    run(
        work,
        "swaks",
        "--server",
        f"127.0.0.1:{port}",
        "--helo",
        "client.test",
        "-f",
        "a@test",
        "-t",
        "u@test",
        "-d",
        f"@{file}",
        *flags,
    )
    return crlf(UNIX_TEXT) + b"\r\n"  # swaks puts CRLF "." after whatever the file ends with


@deliver_with
def swaks(work, port):
    return _swaks(work, port)


@deliver_with
def swaks_with_pipelining(work, port):
    return _swaks(work, port, "--pipeline")


def _curl(work, port, content, *flags):
    file = work / "message"
    file.write_bytes(content)
    run(
        work,
        "curl",
        "-q",
        "-sS",
        f"smtp://127.0.0.1:{port}/client.test",
        "--mail-from",
        "a@test",
        "--mail-rcpt",
        "u@test",
        "-T",
        file,
        *flags,
    )
    return messages.closed(content)


@deliver_with
def curl(work, port):
    return _curl(work, port, messages.DOTS + messages.EIGHT_BIT)


@deliver_with
def curl_without_final_CRLF(work, port):
    return _curl(work, port, messages.SMALL["no final CRLF"])


@deliver_with
def curl_with_10_MiB(work, port):
    return _curl(work, port, messages.LARGE)


@deliver_with
def msmtp(work, port):
    run(
        work,
        "msmtp",
        "--host=127.0.0.1",
        f"--port={port}",
        "--domain=client.test",
        "-f",
        "a@test",
        "u@test",
        content=UNIX_TEXT,
    )
    return crlf(UNIX_TEXT)


def smtplib_client(server):
    return smtplib.SMTP("127.0.0.1", server.port, local_hostname="client.test", timeout=15)


@check("receive takes every kind of content from smtplib over one connection", limit=60)
def smtplib_contents(work):
    with Receive(work) as server:
        with smtplib_client(server) as client:
            for content in messages.ALL.values():
                client.sendmail("a@test", ["u@test"], content, mail_options=["BODY=8BITMIME"])
        # smtplib ends even an empty content with CRLF.
        server.expect_stored(*(messages.closed(content) or b"\r\n" for content in messages.ALL.values()))


@check("receive takes mail from smtplib after HELO only")
def smtplib_helo(work):
    with Receive(work) as server:
        with smtplib_client(server) as client:
            expect(client.helo()[0] == 250, "HELO was refused")
            client.sendmail("a@test", ["u@test"], messages.DOTS)
        [message] = server.expect_stored(messages.DOTS)
        expect(
            b"with SMTP" in message.received and b"with ESMTP" not in message.received,
            f"{message.received!r}",
        )


@check("receive writes the trace of a message and reports it on one line")
def trace(work):
    with Receive(work) as server:
        with smtplib_client(server) as client:
            client.sendmail("a@test", ["u@test", "v@test"], messages.PLAIN)
        [message] = server.expect_stored(messages.PLAIN)
        expect(
            message.sender == b"a@test" and sorted(message.recipients) == [b"u@test", b"v@test"],
            f"envelope {message}",
        )
        for part in (b"from client.test", b"by mx.test", b"with ESMTP"):
            expect(part in message.received, f"no {part!r} in {message.received!r}")
        line = server.next_line()
        want = rf"message id=\S+ from=<a@test> to=<u@test>,<v@test> size={len(messages.PLAIN)} protocol=ESMTP helo=client\.test"
        expect(re.fullmatch(want, line), f"reported {line!r}")


@check("receive takes a null reverse-path from smtplib")
def null_reverse_path(work):
    with Receive(work) as server:
        with smtplib_client(server) as client:
            client.sendmail("", ["u@test"], messages.PLAIN)
        [message] = server.expect_stored(messages.PLAIN)
        expect(message.sender == b"", f"Return-Path is {message.sender!r}")
        expect("from=<>" in server.next_line(), "no from=<> in the report")


@check("receive refuses one recipient and defers another of four")
def some_recipients(work):
    everyone = ["one@test", "no@test", "later@test", "four@test"]
    with Receive(work, "--reject", "no@test", "--defer", "later@test") as server:
        with smtplib_client(server) as client:
            refused = client.sendmail("a@test", everyone, messages.PLAIN)
            codes = {address: (code, text[:5]) for address, (code, text) in refused.items()}
            expect(codes == {"no@test": (550, b"5.1.1"), "later@test": (451, b"4.3.0")}, f"refused {refused}")
            try:
                client.sendmail("a@test", ["no@test"], messages.PLAIN)
            except smtplib.SMTPRecipientsRefused:
                pass
            else:
                raise AssertionError("a message to nobody was taken")
            client.sendmail("a@test", ["one@test"], messages.DOTS)
        stored = server.expect_stored(messages.PLAIN, messages.DOTS)
        recipients = sorted(sorted(message.recipients) for message in stored)
        expect(recipients == [[b"four@test", b"one@test"], [b"one@test"]], f"delivered to {recipients}")


SMTP_SOURCE = ("smtp-source", "-M", "client.test", "-f", "a@test", "-t", "u@test")


def smtp_source_payload(length):
    payload = bytearray(b"X" * length)
    for end in range(80, length, 80):
        payload[end - 80 : end - 79] = b"%d" % (end // 80 % 10)
        payload[end - 2 : end] = b"\r\n"
    return bytes(payload) + b"\r\n"


def expect_smtp_source(messages, length):
    """All of a message is known beforehand but for its date and its id, and no two ids are the same."""
    payload, ids = smtp_source_payload(length), set()
    for message in messages:
        header, _, body = message.content.partition(b"\r\n\r\n")
        known = re.fullmatch(
            rb"From: <a@test>\r\nTo: <u@test>\r\nDate: [^\r\n]+\r\nMessage-Id: <([^\r\n]+)>", header
        )
        expect(known, f"header {header!r}")
        expect_same(body, payload, "payload")
        ids.add(known[1])
    expect(len(ids) == len(messages), f"{len(messages)} messages, of which {len(ids)} are different")


@check("receive takes 2000 messages from smtp-source over 20 parallel sessions", limit=90)
def smtp_source_load(work):
    with Receive(work) as server:
        run(
            work, *SMTP_SOURCE, "-s", "20", "-m", "2000", "-l", "4096", f"127.0.0.1:{server.port}", timeout=80
        )
        stored = server.stored()
        expect(len(stored) == 2000, f"{len(stored)} messages for 2000")
        expect_smtp_source(stored, 4096)


@check("receive takes 300 messages of 5 recipients from smtp-source over 3 kept connections", limit=60)
def smtp_source_kept(work):
    with Receive(work) as server:
        run(
            work,
            *SMTP_SOURCE,
            "-d",
            "-s",
            "3",
            "-m",
            "300",
            "-r",
            "5",
            "-l",
            "20000",
            f"127.0.0.1:{server.port}",
            timeout=50,
        )
        stored = server.stored()
        expect(len(stored) == 300, f"{len(stored)} messages for 300")
        expect_smtp_source(stored, 20000)
        for message in stored:
            expect(len(set(message.recipients)) == 5, f"delivered to {message.recipients}")


@check("receive ends with 0 on Ctrl-C while smtp-source delivers, and stores only whole messages")
def interrupted_load(work):
    with Receive(work) as server:
        with Program(
            work, *SMTP_SOURCE, "-s", "10", "-m", "100000", "-l", "4096", f"127.0.0.1:{server.port}"
        ):
            wait_until(lambda: len(server.lines) > 50, 10, "50 messages took 10 s")
            server.interrupt()
            status = server.wait()
            expect(status == 0, f"ended with {status}")
        expect_smtp_source(server.stored(), 4096)
