"""`receive` in sessions typed by hand: newlines, limits, pipelining, broken connections, Ctrl-C."""

import json
import re
import socket
import time

from lab import maildir, messages
from lab.checks import check, expect, expect_same, wait_until
from lab.programs import Receive
from lab.wire import Session, stuffed


@check("receive stores a whole transaction that arrives in one write")
def pipelined(work):
    with Receive(work) as server, Session(server.port) as client:
        expect("PIPELINING" in client.command("EHLO client.test", 250).lines, "PIPELINING is not offered")
        client.send(b"MAIL FROM:<a@test>\r\nRCPT TO:<u@test>\r\nRCPT TO:<v@test>\r\nDATA\r\n")
        for code in (250, 250, 250, 354):
            client.expect(code)
        client.expect_silence()
        client.send(
            stuffed(messages.DOTS) + b".\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<w@test>\r\nNOOP\r\nDATA\r\n"
        )
        for code in (250, 250, 250, 250, 250, 354):
            client.expect(code)
        client.send(b".\r\nQUIT\r\n")
        client.expect(250)
        client.expect(221)
        client.expect_closed()
        server.expect_stored(messages.DOTS, b"")


@check("receive stores the same when every byte arrives alone")
def trickled(work):
    content = b"A: b\r\n\r\n.a\r\n..\r\n\r\n.\r\n"
    with Receive(work) as server, Session(server.port) as client:
        client.open()
        for byte in stuffed(content) + b".\r\n":
            client.send(bytes([byte]))
            time.sleep(0.002)
        client.expect(250)
        client.quit()
        server.expect_stored(content)


@check("receive stores every kind of content byte by byte as on the wire", limit=60)
def contents(work):
    everything = [messages.closed(content) for content in messages.ALL.values()]
    with Receive(work) as server, Session(server.port) as client:
        client.command("EHLO client.test", 250)
        for content in everything:
            client.open(greet=False)
            client.data(stuffed(content))
        client.quit()
        server.expect_stored(*everything)


# Each ends mail data for some careless receiver; the rest of the line feigns a second transaction.
FALSE_ENDS = {
    "LF . LF": b"\n.\n",
    "LF . CRLF": b"\n.\r\n",
    "CRLF . LF": b"\r\n.\n",
    "CR . CR": b"\r.\r",
    "CRLF . CR": b"\r\n.\rx",
}
FALSE_ENDS |= {"CR . CRLF": b"\r.\r\n", "CRLF . CR CRLF": b"\r\n.\r\r\n"}
SECOND = b"MAIL FROM:<forged@test>\r\nRCPT TO:<victim@test>\r\nDATA\r\nSubject: smuggled\r\n\r\nforged\r\n"


@check(
    "receive --newlines {policy} makes at most one message of {end}",
    policy=("reject", "normalise", "keep"),
    end=tuple(FALSE_ENDS),
)
def smuggling(work, policy, end):
    body = b"Subject: outer\r\n\r\ntext" + FALSE_ENDS[end] + SECOND
    with Receive(work, "--newlines", policy) as server, Session(server.port) as client:
        client.open()
        client.send(body + b".\r\n")
        answer = client.reply()
        client.command("NOOP", 250)
        client.open(greet=False)
        client.data(messages.PLAIN)
        client.quit()
        contents = [message.content for message in server.stored() if message.content != messages.PLAIN]
        expect(
            answer.code // 100 == 5 if policy == "reject" else answer.code == 250,
            f"{answer.code} {answer.text!r}",
        )
        if policy == "reject":
            expect(not contents, f"stored though refused: {contents}")
        else:
            [content] = contents
            expect(b"forged\r\n" in content, f"stored only {content!r}")
            if policy == "keep":
                lines = body.split(b"\r\n")
                expect_same(content, b"\r\n".join(line.removeprefix(b".") for line in lines), "stored")
            else:
                bare = re.search(rb"\r(?!\n)|(?<!\r)\n", content)
                expect(not bare, f"a bare newline remains in {content!r}")


@check(
    "receive refuses {name} in mail data after the final dot and stays in step",
    name=("a bare LF", "a bare CR"),
)
def bare_newline(work, name):
    with Receive(work) as server, Session(server.port) as client:
        client.open()
        client.data(b"one\ntwo\r\n" if name == "a bare LF" else b"one\rtwo\r\n", code=5)
        client.command("NOOP", 250)
        client.open(greet=False)
        client.data(messages.PLAIN)
        client.quit()
        server.expect_stored(messages.PLAIN)


@check("receive --max-size answers 552 to the size declared and to the size sent")
def max_size(work):
    fitting = messages.HEADER.ljust(998, b"x") + b"\r\n"
    with Receive(work, "--max-size", "1000") as server, Session(server.port) as client:
        expect("SIZE 1000" in client.command("EHLO client.test", 250).lines, "SIZE 1000 is not announced")
        client.command("MAIL FROM:<a@test> SIZE=1001", 552)
        client.open(greet=False)
        client.data(fitting + b"x\r\n", code=552)
        client.open(greet=False)
        client.data(b"y" * 1_000_000 + b"\r\n", code=552)
        client.command("MAIL FROM:<a@test> SIZE=1000", 250)
        client.command("RSET", 250)
        client.open(greet=False)
        client.data(fitting)
        client.quit()
        server.expect_stored(fitting)


@check("receive --max-recipients answers 452 to one too many and delivers to the others")
def max_recipients(work):
    with Receive(work, "--max-recipients", "2") as server, Session(server.port) as client:
        client.command("EHLO client.test", 250)
        client.command("MAIL FROM:<a@test>", 250)
        for name, code in (("one", 250), ("two", 250), ("three", 452)):
            client.command(f"RCPT TO:<{name}@test>", code)
        client.command("DATA", 354)
        client.data(messages.PLAIN)
        client.quit()
        [message] = server.expect_stored(messages.PLAIN)
        expect(sorted(message.recipients) == [b"one@test", b"two@test"], f"delivered to {message.recipients}")


@check("receive --max-connections answers 421 to one too many and serves again later")
def max_connections(work):
    with Receive(work, "--max-connections", "2") as server:
        with Session(server.port) as first, Session(server.port) as second:
            with Session(server.port, greeting=421) as third:
                third.expect_closed()
            first.command("NOOP", 250)
            second.quit()

            def delivered():
                try:
                    fourth = Session(server.port)
                except AssertionError:  # still 421
                    return False
                with fourth:
                    fourth.open()
                    fourth.data(messages.PLAIN)
                return True

            wait_until(delivered, 5, "the place left is not given to another")
        server.expect_stored(messages.PLAIN)


@check("receive --timeout closes an idle connection with 421")
def timeout(work):
    with Receive(work, "--timeout", "1") as server, Session(server.port) as client:
        client.command("EHLO client.test", 250)
        client.expect(421, "silence")
        client.expect_closed()


@check("receive forgets a message whose connection breaks in mail data")
def broken_connection(work):
    with Receive(work) as server:
        for tail in (b"half a li", b"a line\r\n", b"a line\r\n.", b"a line\r\n.\r"):
            with Session(server.port) as client:
                client.open()
                client.send(b"x" * 100_000 + b"\r\n" + tail)
                client.socket.shutdown(socket.SHUT_WR)
        with Session(server.port) as client:
            client.open()
            client.data(messages.PLAIN)
        wait_until(lambda: not maildir.unfinished(server.maildir), 5, "half a message stays in tmp")
        server.expect_stored(messages.PLAIN)


@check("receive finishes the open transaction on Ctrl-C, answers 421 and ends with 0")
def interrupted(work):
    with Receive(work) as server, Session(server.port) as idle, Session(server.port) as client:
        idle.command("EHLO client.test", 250)
        client.open()
        client.send(messages.HEADER)
        time.sleep(0.2)
        server.interrupt()
        time.sleep(0.5)
        expect(not server.ended(), "ended in the middle of mail data")
        client.data(b"the rest\r\n")
        if not client.hears(1):  # 421 may come without a command
            client.send(b"NOOP\r\n")
        client.expect(421, "Ctrl-C")
        status = server.wait()
        expect(status == 0, f"ended with {status}")
        server.expect_stored(messages.HEADER + b"the rest\r\n")


@check("receive ends with 0 on Ctrl-C when nobody is connected")
def interrupted_idle(work):
    with Receive(work) as server:
        server.interrupt()
        status = server.wait(5)
        expect(status == 0, f"ended with {status}")


@check("receive --json prints one JSON object per line")
def json_lines(work):
    with Receive(work, "--json") as server, Session(server.port) as client:
        client.open("u@test", "v@test")
        client.data(messages.PLAIN)
        client.quit()
        wait_until(lambda: any("v@test" in line for line in server.lines), 5, "the recipient does not appear")
        server.interrupt()
        status = server.wait()
        expect(status == 0, f"ended with {status}")
        lines = [line for line in server.lines if not line.startswith("listening on ")]
        for line in lines:
            expect(isinstance(json.loads(line), dict), f"not an object: {line!r}")
        expect(any("a@test" in line for line in lines), "the sender does not appear")
        server.expect_stored(messages.PLAIN)
