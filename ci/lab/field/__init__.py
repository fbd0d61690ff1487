"""Tries known failures between mail programs on the built examples.

Each line of ci/field/*.jsonl is a case; ci/field/README.md has their format. A case with TLS needs openssl,
one with private addresses or names unshare and mount: without these tools it is skipped.

Exit codes: 0 all is as expected, 1 something is not, 2 nothing could be tried.
"""

import argparse
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from lab import cargo
from lab.field import certificates, judgement
from lab.field.trial import Skipped, Trial

FILES = [cargo.ROOT / "ci/field/server.jsonl", cargo.ROOT / "ci/field/client.jsonl"]
PACKAGES = ("ehlo-apps", "ehlo-examples")
RUNTIMES = ("blocking", "tokio", "async-std")
TOOLS = ("send", "receive", "probe", "parse")


def main(argv):
    arguments = parse(argv)
    try:
        cases = read(arguments.files or FILES)
        if arguments.self_test:
            cases = planted()
    except (OSError, ValueError, KeyError) as error:
        print(f"lab field: {type(error).__name__}: {error}", file=sys.stderr)
        return 2
    cases = [case for case in cases if re.search(arguments.only, case["id"])]
    if arguments.list:
        for case in cases:
            marks = "".join(f" [{mark}]" for mark in ("debatable", "slow") if case.get(mark))
            print(f"{case['id']} {case['tool']}: {case['kind']}{marks}")
        return 0
    if not arguments.examples:
        words = (word for package in PACKAGES for word in ("--package", package))
        try:
            cargo.cargo("build", "--release", "--quiet", *words, "--examples")
        except subprocess.CalledProcessError:
            return 2
    examples = (arguments.examples or cargo.EXAMPLES).resolve()
    for tool in {case["tool"] for case in cases}:
        if not os.access(examples / tool, os.X_OK):
            print(f"lab field: there is no {examples / tool}", file=sys.stderr)
            return 2
    outcomes = try_all(cases, examples, arguments)
    if arguments.self_test:
        return self_test(cases, outcomes)
    return report(cases, outcomes, verbose=arguments.verbose)


def parse(argv):
    parser = argparse.ArgumentParser(
        prog="lab field", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path, help="cases, instead of the repository's")
    parser.add_argument("--only", default="", metavar="REGEX", help="only the cases whose id matches")
    parser.add_argument("--slow", action="store_true", help="include the cases that take more than 20 s")
    parser.add_argument("--jobs", type=int, default=4, metavar="N", help="the number of cases at once (4)")
    parser.add_argument("--examples", type=Path, metavar="FOLDER", help="the folder of built examples")
    parser.add_argument("--list", action="store_true", help="print the cases and run none")
    parser.add_argument("--self-test", action="store_true", help="check that wrong expectations are found")
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="a line for each case, and the dialogues of failures"
    )
    return parser.parse_args(argv)


def read(files):
    cases = {}
    for file in files:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            case = json.loads(line)
            if case["id"] in cases or case["tool"] not in TOOLS:
                raise ValueError(f"{file}:{number}: the id stands twice, or there is no such tool")
            _ = case["kind"], case["steps" if case["tool"] == "receive" else "expect"]
            cases[case["id"]] = case
    return list(cases.values())


def try_all(cases, examples, arguments):
    """The results of each case, by its id and then by the runtime."""
    chosen = [case for case in cases if arguments.slow or not case.get("slow")]
    outcomes = {case["id"]: {None: Skipped("slow; --slow tries it")} for case in cases}
    with tempfile.TemporaryDirectory(prefix="field-certificates-") as name:
        folder = name if certificates.can_be_made() else None
        if folder:
            certificates.make(Path(name))
        trials = []
        for case in chosen:
            outcomes[case["id"]] = {}
            for runtime in case.get("runtimes", RUNTIMES) if case["tool"] == "send" else [None]:
                trials.append(Trial(case, str(examples), folder, runtime))
        trials.sort(key=lambda trial: -pauses(trial.case))
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            for trial, outcome in zip(trials, pool.map(attempt, trials)):
                outcomes[trial.case["id"]][trial.runtime] = outcome
    return outcomes


def attempt(trial):
    try:
        return trial.run()
    except Skipped as skipped:
        return skipped
    except Exception as error:  # a fault of this program is that case's failure
        return judgement.Result(False, f"not tried: {type(error).__name__}: {error}")


def pauses(case):
    """Seconds that a case waits: the longest begin first."""

    def of(steps):
        for step in steps:
            if isinstance(step[0], list):
                yield from of(step)
            elif step[0] in ("SLEEP", "HOLD", "REST"):
                yield next((value for value in reversed(step) if isinstance(value, (int, float))), 0)

    return sum(of(case.get("script") or case.get("steps") or []))


def report(cases, outcomes, *, verbose):
    counts = {"right": 0, "tried": 0, "skipped": 0}
    for case in cases:
        results = outcomes[case["id"]]
        if skipped := [result for result in results.values() if isinstance(result, Skipped)]:
            counts["skipped"] += 1
            print(f"SKIP {case['id']}: {skipped[0]}")
            continue
        wrong = {runtime: result for runtime, result in results.items() if not result.is_right}
        if not case.get("debatable"):
            counts["tried"] += 1
            counts["right"] += not wrong
        if not wrong:
            if verbose:
                print(f"ok {case['id']}: {case['kind']}")
            continue
        word = "DEBATABLE" if case.get("debatable") else "FAIL"
        runtimes = f" with {', '.join(map(str, wrong))}" if len(results) > len(wrong) else ""
        seen = " / ".join(dict.fromkeys(result.seen for result in wrong.values()))
        ground = case.get("ground") or case["kind"]
        print(f"{word} {case['id']}{runtimes}: wanted {wanted(case)}; seen: {seen}; ground: {ground}")
        for runtime, result in wrong.items() if verbose else []:
            print(*(f"    {runtime or ''} {line}" for line in result.log), sep="\n")
    print("{right} of {tried} as expected ({skipped} skipped)".format(**counts))
    return 0 if counts["right"] == counts["tried"] > 0 else 1


def wanted(case):
    if case["tool"] == "receive":
        return case.get("meaning") or "the dialogue"
    return ", ".join(f"{key} {value}" for key, value in case["expect"].items())


def planted():
    """Cases of which every second one expects what is not so."""
    hello = [["S", "^220"], ["C", "HELO client.example\r\n"], ["S", "^250"]]
    said = {"exit": 0, "stdout": "accepted"}
    session = [
        ["S", "220 mx\r\n"],
        ["C", "EHLO"],
        ["S", "250 mx\r\n"],
        ["CASE", {"MAIL": [["S", "250 ok\r\n"], ["C", "RCPT"], ["S", "250 ok\r\n"], ["C", "DATA"]]}],
    ]
    finished = [["S", "354 go\r\n"], ["DATA"], ["S", "250 ok\r\n"], ["C", "QUIT"], ["S", "221 bye\r\n"]]
    session[3][1]["MAIL"] += finished
    flags = ["--server", "127.0.0.1:{PORT}", "--from", "a@a.example", "--to", "b@b.example", "--tls", "off"]
    send = {"tool": "send", "flags": flags, "stdin": "Subject: x\r\n\r\nx\r\n", "runtimes": ["blocking"]}
    line = {"tool": "parse", "what": "command", "stdin": "NOOP\\r\\n\n"}
    cases = [
        {"tool": "receive", "steps": hello},
        {"tool": "receive", "steps": [*hello, ["STORED", 1]]},
        send | {"script": session, "expect": said},
        send | {"script": [*session[:1], ["C", "HELO"]], "expect": {}},
        line | {"expect": {"exit": 0, "stdout": "^ok"}},
        line | {"expect": {"stdout_not": "^ok"}},
    ]
    return [case | {"id": f"planted-{number}", "kind": "planted"} for number, case in enumerate(cases)]


def self_test(cases, outcomes):
    wrong = 0
    for number, case in enumerate(cases):
        for result in outcomes[case["id"]].values():
            if result.is_right != (number % 2 == 0):
                wrong += 1
                print(case["id"], result)
    print(f"{len(cases)} planted cases, {wrong} judged wrongly")
    return 1 if wrong else 0
