"""Compares the quotations of RFCs, in comments and in the documentation, with the texts of the RFCs."""

import argparse
import collections
import functools
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.rfc_texts import (
    CACHE,
    NO_RULE,
    NO_SECTION,
    OTHER_RULE,
    OTHER_SECTION,
    OTHER_WORDS,
    Library,
    Rfc,
    provide,
)

WHAT_COUNTS = """
A quotation is text in straight double quotes, in a comment of a Rust file or on a page of the documentation,
- directly behind or before a citation, as in `RFC 5321 §4.5.2: "..."`, or
- of two words or more, where the comment, paragraph, list item or table row cites an RFC or a section, or
- with a word of RFC 2119 in capitals;
and a code span that holds a rule of ABNF, as `ehlo-param = 1*(%d33-126)`.

A quotation stands in the section that is cited beside it, letter for letter, white space and page breaks
aside. An ellipsis stands for words left out: what is around it stands there in this order. A rule is quoted
as a whole, or has an ellipsis. A section without an RFC belongs to the RFC that the comment names last; or
else to the first RFC in the head (`//!`) of a Rust file, on a page to the last one above. A rule that has no
citation beside it belongs to any RFC that the file cites. In strings of code only the sections are looked at.

Exit codes: 0 all is right, 1 something is not, 2 there are no texts.
"""

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [f"{folder}/**/*.rs" for folder in ("crates", "examples", "fuzz", "benches", "proofs")]
PAGES = ["*.md", "docs/**/*.md", "crates/**/*.md"]

# Newer than the packages: nothing of these is compared, and the report counts them.
WITHOUT_TEXT = frozenset({9422, 9525})

# Quotation marks beside a citation that hold no quotation: (end of the path, text) and the reason.
ALLOWED: dict[tuple[str, str], str] = {}

NO_TEXT = "the RFC has no text here, and is not in WITHOUT_TEXT"
NO_RFC = "it belongs to no RFC"
NOT_COMPARED = "not compared"
OPEN = "a quotation mark without its twin"


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="quotes", description=__doc__ + WHAT_COUNTS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", type=Path, help="files to read, instead of the repository's")
    parser.add_argument("--texts", type=Path, default=CACHE, help=f"folder of rfcN.txt[.gz]: {CACHE}")
    parser.add_argument("--provide", action="store_true", help="fetch the texts into that folder first")
    parser.add_argument("--self-test", action="store_true", help="check that planted faults are found")
    parser.add_argument("--all", action="store_true", help="print correct quotations, too")
    arguments = parser.parse_args(argv)
    if arguments.provide:
        provide(arguments.texts)
    library = Library(arguments.texts)
    if not library.paths:
        print(f"no texts of RFCs in {arguments.texts}, so nothing is compared: --provide fetches them")
        return 2
    if arguments.self_test:
        return self_test(library)
    paths = arguments.paths or repository()
    findings = [finding for path in paths for finding in check(path, library)]
    return report(findings, everything=arguments.all, whole=not arguments.paths)


def repository() -> list[Path]:
    found = {path for pattern in SOURCES + PAGES for path in ROOT.glob(pattern)}
    return sorted(path for path in found if "target" not in path.relative_to(ROOT).parts)


def report(findings: list["Finding"], *, everything: bool, whole: bool) -> int:
    used = {key for finding in findings if (key := finding.allowed())}
    idle = [key for key in ALLOWED if whole and key not in used]
    faults = [finding for finding in findings if finding.fault and not finding.allowed()]
    for finding in findings if everything else faults:
        print(finding)
    blind = [finding for finding in findings if not finding.compared]
    for rfc, count in sorted(collections.Counter(finding.citation.rfc for finding in blind).items()):
        print(f"RFC {rfc}: {count} places are not compared, as it is newer than the texts")
    for kind, count in sorted(collections.Counter(finding.kind for finding in findings).items()):
        wrong = sum(finding.kind == kind for finding in faults)
        unseen = sum(finding.kind == kind for finding in blind)
        print(f"{kind + 's':12} {count:5} found, {wrong} wrong, {unseen} not compared")
    for path, text in idle:
        print(f"{path}: in ALLOWED, and in no file: {text}")
    print(f"{'allowed':12} {len(used):5}")
    return 1 if faults or idle else 0


# What a file says -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Citation:
    rfc: int | None
    section: str | None
    start: int
    end: int

    def __str__(self) -> str:
        return f"RFC {self.rfc or '?'}" + (f" §{self.section}" if self.section else "")


@dataclass
class Finding:
    path: Path
    line: int
    kind: str  # "quotation", "rule" or "section"
    citation: Citation
    text: str = ""
    fault: str | None = None  # `None` where all is right
    nearest: str = ""
    compared: bool = True

    def verdict(self) -> str | None:
        return self.fault or (None if self.compared else NOT_COMPARED)

    def allowed(self) -> tuple[str, str] | None:
        return next((key for key in ALLOWED if str(self.path).endswith(key[0]) and key[1] == self.text), None)

    def __str__(self) -> str:
        path = self.path.relative_to(ROOT) if self.path.is_relative_to(ROOT) else self.path
        lines = [f"{path}:{self.line}: {self.citation}: {self.verdict() or 'right'}"]
        lines += [f"    quoted:  {self.text}"] if self.text else []
        lines += [f"    nearest: {self.nearest}"] if self.fault and self.nearest else []
        return "\n".join(lines)


@dataclass
class Passage:
    """A paragraph, a list item or a row: one line of text, and where the lines of the file begin in it."""

    prose: str
    starts: list[tuple[int, int]]

    def line(self, at: int) -> int:
        return next(line for start, line in reversed(self.starts) if start <= at)

    @functools.cached_property
    def bare(self) -> str:
        """The same without what code spans hold, each character in its place."""
        return SPAN.sub(lambda span: "\x00" * len(span[0]), self.prose.replace('" "', "\x00\x00\x00"))

    @functools.cached_property
    def rules(self) -> list[tuple[int, str]]:
        spans = ((span.start(), span[2].strip()) for span in SPAN.finditer(self.prose))
        return [(at, span) for at, span in spans if re.match(r"<?[A-Za-z][\w-]*>? *(=/?|::=) +\S", span)]

    @functools.cached_property
    def quotations(self) -> list[tuple[int, int]]:
        """Where each begins and ends, marks included; -1 for an end that is missing."""
        found, open_marks = [], []
        for mark in re.finditer('"', self.bare):
            before, behind = self.bare[: mark.start()][-1:], self.bare[mark.end() :][:1]
            opens = (not before or before in " ([{/—–-'\x00*_\"") and behind not in ("", " ")
            closes = (not behind or behind in " .,;:)]}?!/—–-'\x00…*_\"") and before not in ("", " ")
            if closes and open_marks:
                start = open_marks.pop()
                found += [] if open_marks else [(start, mark.end())]
            elif opens:
                open_marks.append(mark.start())
            else:
                found.append((mark.start(), -1))
        return found + [(start, -1) for start in open_marks[:1]]

    def citations(self, named: int | None) -> list[Citation]:
        """Those of this passage; a section belongs to the RFC before it, or else to `named`."""
        found = []
        for token in CITATION.finditer(self.bare):
            section = token["section"] or token["appendix"]
            behind = re.match(r"(?:(?:,| and| or| to) §[\w.]+\b)* of RFC (\d+)", self.bare[token.end() :])
            start, rfc = token.start(), int(behind[1]) if behind else named
            if token["rfc"]:
                rfc = named = int(token["rfc"])
            elif found and not found[-1].section and not self.bare[found[-1].end : start].strip(" ,("):
                start = found.pop().start
            found.append(Citation(rfc, section, start, token.end()))
        return found


SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
SECTION = r"(?:\d+|[A-Z](?=\.?\d|\b))(?:\.\d+)*"
CITATION = re.compile(
    rf"\bRFC (?P<rfc>\d+)|§ ?(?P<section>{SECTION})|\b[Aa]ppendix (?P<appendix>[A-Z](?:\.\d+)*)\b"
)
TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)
    | (?<!\w)(?:b|c)?r(?P<hashes>\#*)".*?"(?P=hashes) | (?<!\w)[bc]?"(?:\\.|[^"\\])*"
    | b?'(?:\\[^\n]+?|[^\\'\n])'""",
    re.DOTALL | re.VERBOSE,
)


def passages(path: Path) -> tuple[list[list[Passage]], list[Passage]]:
    """The comments of a Rust file, or the parts of a page, each in passages; and the strings of code."""
    text = path.read_text()
    if path.suffix == ".md":
        comments: list[list[Passage]] = []
        strings: list[Passage] = []
        split(list(enumerate(text.split("\n"), 1)), comments, strings)
        return [[passage] for block in comments for passage in block], strings
    return rust(text, 1)


def rust(code: str, first: int) -> tuple[list[list[Passage]], list[Passage]]:
    comments: list[list[Passage]] = []
    strings: list[Passage] = []
    run: list[tuple[int, str]] = []  # lines that are one comment
    kind, last = "", -1

    def end() -> None:
        if run:
            split(run.copy(), comments, strings)
            run.clear()

    for token in TOKEN.finditer(code):
        line = first + code.count("\n", 0, token.start())
        if not token["comment"]:
            strings.append(Passage(re.sub(r"\\\n\s*|\n", " ", token[0]), [(0, line)]))
            continue
        marker = re.match(r"///(?!/)|//!|//|/\*[*!]?", token[0])[0]
        alone = not code[code.rfind("\n", 0, token.start()) + 1 : token.start()].strip()
        if not (alone and marker == kind and line == last + 1):
            end()
        body = token[0].removeprefix(marker).removesuffix("*/" if marker.startswith("/*") else "")
        run += [(line + number, part) for number, part in enumerate(body.split("\n"))]
        kind, last = (marker, line + body.count("\n")) if alone else ("", -1)
    end()
    return comments, strings


def split(lines: list[tuple[int, str]], comments: list[list[Passage]], strings: list[Passage]) -> None:
    """Splits a comment or a page into passages. Code blocks of Rust have comments of their own."""
    block: list[Passage] = []
    pending: list[tuple[int, str]] = []
    code: list[tuple[int, str]] = []
    fence = None

    def end() -> None:
        prose, starts = "", []
        for number, line in pending:
            starts.append((len(prose), number))
            prose += line + " "
        if pending:
            block.append(Passage(prose.rstrip(), starts))
        pending.clear()

    for number, raw in lines:
        line = raw.strip()
        mark = re.match(r"(`{3,}|~{3,})(.*)", line)
        if fence is not None:
            if mark and not mark[2] and mark[1].startswith(fence[0]):
                if re.fullmatch(r"(rust|no_run|should_panic|ignore|,)*", fence[1]) and code:
                    inner = rust("\n".join(text for _, text in code), code[0][0])
                    comments += inner[0]
                    strings += inner[1]
                fence = None
            else:
                code.append((number, raw))
            continue
        if mark:
            end()
            fence, code = (mark[1], mark[2].strip()), []
            continue
        if not line or re.match(r"[-*+] |\d+\. |\||#+ ", line):
            end()
        if line:
            pending.append((number, line))
    end()
    comments.append(block)


# The judgement ----------------------------------------------------------------------------------------------

NOWHERE = Citation(None, None, 0, 0)
KEYWORD = re.compile(r"\b(MUST|SHALL|SHOULD|REQUIRED|RECOMMENDED|MAY|OPTIONAL)\b")


def check(path: Path, library: Library) -> Iterator[Finding]:
    comments, strings = passages(path)
    numbers = [citation.rfc for block in comments for part in block for citation in part.citations(None)]
    rfcs = [Citation(number, None, 0, 0) for number in dict.fromkeys(numbers) if number]
    head = re.search(r"^//!.*?\bRFC (\d+)", path.read_text(), re.MULTILINE)
    above = int(head[1]) if head and path.suffix == ".rs" else None
    for block in comments:
        earlier: list[Citation] = []
        named = above
        cites = any(part.citations(None) for part in block)
        for part in block:
            here = part.citations(named)
            for citation in here:
                if citation.section:
                    finding = Finding(path, part.line(citation.start), "section", citation)
                    yield judge(finding, [citation], library, Rfc.section_fault)
            for at, rule in part.rules:
                candidates, direct = beside(part.bare, at, at + len(rule) + 2, here, earlier)
                finding = Finding(path, part.line(at), "rule", NOWHERE, rule)
                yield judge(finding, candidates + (rfcs if not direct else []), library, Rfc.rule_fault)
            for start, end in part.quotations:
                candidates, direct = beside(part.bare, start, end, here, earlier)
                text = part.prose[start:end] if end > 0 else part.prose[start:]
                finding = Finding(path, part.line(start), "quotation", NOWHERE, text)
                if end < 0 and cites:
                    finding.fault = OPEN
                    yield finding
                elif direct or KEYWORD.search(text) or (cites and len(text.split()) >= 2):
                    yield judge(finding, candidates, library, Rfc.words_fault)
            earlier += here
            named = next((citation.rfc for citation in reversed(here) if citation.rfc), named)
        above = named if path.suffix == ".md" else above
    for part in strings:
        for citation in part.citations(None):
            if citation.rfc and citation.section:
                finding = Finding(path, part.line(0), "section", citation)
                yield judge(finding, [citation], library, Rfc.section_fault)


def beside(
    text: str, start: int, end: int, here: list[Citation], earlier: list[Citation]
) -> tuple[list[Citation], bool]:
    """The citations to which what is quoted there may belong, and whether one stands directly beside it."""
    before = [citation for citation in here if citation.end <= start]
    behind = [citation for citation in here if citation.start >= end]
    if before and not text[before[-1].end : start].strip(" :;,(—"):
        return group(text, before[::-1]), True
    if behind and not text[end : behind[0].start].strip(" ,("):
        return group(text, behind), True
    return group(text, before[::-1]) + group(text, behind) or earlier[-1:], False


def group(text: str, citations: list[Citation]) -> list[Citation]:
    """The first of these and those that are listed with it, as in `§3.3 and §4.1.1.4`."""
    found = citations[:1]
    for citation in citations[1:]:
        first, last = sorted((found[-1], citation), key=lambda one: one.start)
        if text[first.end : last.start].strip(" ,/") not in ("", "and", "or", "to"):
            break
        found.append(citation)
    return found


def judge(finding: Finding, candidates: list[Citation], library: Library, fault_of) -> Finding:
    """Right if it is right for one of the candidates; else the fault is that of the first."""
    verdicts = []
    for citation in candidates or [NOWHERE]:
        if rfc := library.rfc(citation.rfc):
            verdicts.append((citation, *fault_of(rfc, citation.section, finding.text), True))
        elif citation.rfc in WITHOUT_TEXT:
            verdicts.append((citation, None, "", False))
        else:
            verdicts.append((citation, NO_TEXT if citation.rfc else NO_RFC, "", True))
    finding.citation, finding.fault, finding.nearest, finding.compared = min(verdicts, key=rank)
    return finding


def rank(verdict: tuple[Citation, str | None, str, bool]) -> int:
    """What is another thing in one RFC is not excused by an RFC without a text."""
    _, fault, _, compared = verdict
    return (0 if compared else 2) if fault is None else 1 if fault in (OTHER_RULE, OTHER_SECTION) else 3


# What stands in a file, by its ending, and the faults that have to be found there.
PLANTED = [
    ("rs", '// RFC 5321 §4.5.2: "one additional period is inserted at the\n// beginning of the line."', []),
    ("rs", '/// RFC 5321 §4.5.2: "If it is a period … the beginning of the\n/// line."', []),
    ("rs", '// RFC 5802 §6: "If the flag is set to "y" and the server supports channel binding"', []),
    ("rs", '// RFC 5321 §4.1.1.3 (the rule): "MUST BE accepted, SHOULD NOT be generated"', [OTHER_SECTION]),
    ("rs", '// RFC 5321 §4.5.2: "If it is a dot, one additional period is inserted"', [OTHER_WORDS]),
    ("rs", '// RFC 4954 §4: "the client should cancel the authentication"', [OTHER_WORDS]),
    ("rs", '// RFC 5321 §4.5.2: "the beginning of the line … If it is a period"', [OTHER_WORDS]),
    ("rs", '// What "it MUST fail the AUTH command" asks for, RFC 4954 §4.', [OTHER_WORDS]),
    ("rs", '// The server "MUST fail the command", and no RFC is cited.', [NO_RFC]),
    ("rs", '/* RFC 5321 §4.5.1: "If it is a period, one additional period" */', [OTHER_SECTION]),
    ("rs", "// RFC 5321 §4.5.9 says nothing.", [NO_SECTION]),
    ("rs", 'let a = "RFC 5321 §4.5.9";', [NO_SECTION]),
    ("rs", 'let a = "// RFC 5321 §4.5.2: "; // "no words of an RFC" stand alone', []),
    ("rs", '/// RFC 5321 §4.1.1.1 has `EHLO`, and "EHLO" is no quotation. The "e-mail" neither.', []),
    (
        "rs",
        '/// ```\n/// // RFC 5321 §4.5.2: "If it is a dot"\n/// let a = "no comment";\n/// ```',
        [OTHER_WORDS],
    ),
    ("rs", '/// RFC 5321 §4.5.2: "If it is a period', [OPEN]),
    ("rs", '//! RFC 5321.\n\n/// §4.5.2: "If it is a period"; `Forward-path = Path`, §4.1.2.', []),
    ("rs", "/// §4.5.2 of none.", [NO_RFC]),
    ("rs", "/// §4.5.2 of RFC 5321, and RFC 5321 §B.", []),
    ("rs", '/// `Path = "<" Mailbox ">"`, RFC 5321 §4.1.2.', [OTHER_RULE]),
    ("rs", '/// `Path = "<" Mailbox ">"`, of RFC 5321 or RFC 9422.', [OTHER_RULE]),
    ("rs", '/// `Path = "<" … ">"`, RFC 5321 §4.1.2; `Path = "<" …`.', []),
    ("rs", '/// `Path = "<" [ A-d-l ":" ] Mailbox ">"`, RFC 5321 §4.1.3.', [OTHER_SECTION]),
    ("rs", '/// `Way = "<" Mailbox ">"`, RFC 5321 §4.1.2.', [NO_RULE]),
    ("rs", '// RFC 9422 §3: "this cannot be compared".', [NOT_COMPARED, NOT_COMPARED]),
    ("rs", '// RFC 99999 §3: "this is no RFC".', [NO_TEXT, NO_TEXT]),
    ("md", 'RFC 5321 §4.5.2:\n"If it is a period, one additional\nperiod is inserted".', []),
    (
        "md",
        '| RFC 5321 §4.5.2 | "it is a dot" |\n| --- | --- |\n| §4.5.2 | "it is a period" |',
        [OTHER_WORDS],
    ),
    ("md", "```text\nRFC 5321 §4.5.9\n```\n- RFC 4954 §4\n- §44", [NO_SECTION]),
]


def self_test(library: Library) -> int:
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (ending, text, faults) in enumerate(PLANTED):
            path = Path(folder, f"planted{number}.{ending}")
            path.write_text(text + "\n")
            findings = list(check(path, library))
            if [verdict for finding in findings if (verdict := finding.verdict())] != faults:
                failures += 1
                print(f"planted: {text}\nwanted:  {faults}", *findings, sep="\n")
    print(f"{len(PLANTED)} planted texts, {failures} judged wrongly")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
