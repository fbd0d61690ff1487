"""The texts of the RFCs: where they come from, their sections, their words and their rules of ABNF."""

import collections
import difflib
import gzip
import io
import os
import re
import subprocess
import tarfile
import tempfile
from pathlib import Path

PACKAGES = ("std", "std-proposed", "old-std", "others", "experimental", "fyi-bcp", "informational", "misc")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

NO_SECTION = "no such section"
NO_RULE = "no such rule in the RFC"
OTHER_RULE = "not the rule of the RFC"
OTHER_WORDS = "not in the text of the RFC"
OTHER_SECTION = "in another section"


CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ehlo-rfc"


class Library:
    """The RFCs whose texts are here."""

    def __init__(self, folder: Path):
        named = (
            (re.fullmatch(r"rfc(\d+)\.txt(?:\.gz)?", path.name), path) for path in folder.rglob("rfc*.txt*")
        )
        self.paths = {int(name[1]): path for name, path in named if name}
        self.rfcs: dict[int, Rfc] = {}

    def rfc(self, number: int | None) -> "Rfc | None":
        if number in self.paths and number not in self.rfcs:
            data = self.paths[number].read_bytes()
            data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
            self.rfcs[number] = Rfc(data.decode("utf-8", "replace"))
        return self.rfcs.get(number)


NAME = r"(?P<name>(?P<top>[1-9]\d?|(?P<letter>[A-WYZ]))(?P<rest>(?:\.\d+)*))"
HEADING = re.compile(rf"(?P<indent> *)(?P<word>(?i:appendix)\s+)?{NAME}(?P<dot>[.:]?)(?P<title>\s+\S.*)?")
IN_CONTENTS = re.compile(r"\.{3}|(\. ){3}|\s\.*\s+\d+$")
RULE = re.compile(r"( *)(<?[A-Za-z][\w-]*>?) *(=/?|::=)(?: .*)?")
PAGE_BREAK = re.compile(r"\n+[^\n]*\[Page \w+\][^\n]*\n+(?:\f\n*[^\n]*\n)?\n*")


class Rfc:
    """One RFC: its lines without the heads and feet of the pages, and the sections among them."""

    def __init__(self, text: str):
        text = re.sub("[“”]", '"', text.replace("\r", "").replace("’", "'"))
        self.lines = PAGE_BREAK.sub("\n\f\n", text).split("\n")
        self.sections = self._sections()
        self.texts: dict[str | None, str] = {}

    def _sections(self) -> dict[str, tuple[int, int]]:
        headings: dict[str, tuple[int, int]] = {}
        for at, line in enumerate(self.lines):
            found = HEADING.fullmatch(line.rstrip())
            if not found or IN_CONTENTS.search(line) or (at and self.lines[at - 1].strip()):
                continue
            # An indented number may be an item of a list, and a letter without a dot a word of a sentence.
            is_word = found["letter"] and not found["dot"]
            if not found["word"] and not found["rest"] and (found["indent"] or is_word):
                continue
            if not found["word"] and not found["title"]:
                continue
            parent = found["name"].rpartition(".")[0]
            if "." in parent and parent not in headings:
                continue
            indent = len(found["indent"])
            if indent <= headings.get(found["name"], (indent, 0))[0]:
                headings[found["name"]] = (indent, at)
        starts = sorted((at, name) for name, (_, at) in headings.items())
        sections = {}
        for index, (at, name) in enumerate(starts):
            others = (other for other, inner in starts[index + 1 :] if not inner.startswith(name + "."))
            sections[name] = (at, next(others, len(self.lines)))
        return sections

    def text(self, section: str | None) -> str:
        """A section with those inside it, or all, in one line."""
        if section not in self.texts:
            first, end = self.sections.get(section, (0, len(self.lines)))
            self.texts[section] = fold("\n".join(self.lines[first:end]))
        return self.texts[section]

    def section_fault(self, section: str | None, _: str) -> tuple[str | None, str]:
        return (None, "") if section in self.sections else (NO_SECTION, "")

    def words_fault(self, section: str | None, quotation: str) -> tuple[str | None, str]:
        parts = [fold(part) for part in re.split(r"\[…\]|…|\.{3}", unmark(quotation[1:-1]))]
        pattern = re.compile(".*?".join(rf"(?<!\w){re.escape(part)}(?!\w)" for part in parts if part))
        if pattern.search(self.text(section)):
            return None, ""
        if not pattern.search(self.text(None)):
            return OTHER_WORDS, nearest(self.text(section), " ".join(parts))
        holders = [name for name in self.sections if pattern.search(self.text(name))]
        return OTHER_SECTION, "§" + " §".join(holders)

    def rule_fault(self, section: str | None, rule: str) -> tuple[str | None, str]:
        name = re.match(r"<?[\w-]+>?", rule)[0]
        first, end = self.sections.get(section, (0, len(self.lines)))
        everywhere = self.rules(name)
        there = [text for at, text in everywhere if first <= at < end]
        parts = [re.escape(squeeze(part)) for part in re.split(r"…|\.{3}", unmark(rule))]
        pattern = re.compile(".*".join(parts))
        for text in there:
            if any(pattern.fullmatch(squeeze(form)) for form in (text, uncomment(text))):
                return None, ""
        known = there or [text for _, text in everywhere]
        shown = " | ".join(fold(uncomment(text)) for text in known)
        return (OTHER_RULE if there else OTHER_SECTION if known else NO_RULE), shown

    def rules(self, name: str) -> list[tuple[int, str]]:
        """The rules of that name, and where each begins."""
        found = []
        for at, line in enumerate(self.lines):
            head = RULE.fullmatch(line.rstrip())
            if not head or head[2] != name:
                continue
            text = line
            for more in self.lines[at + 1 :]:
                is_deeper = len(more) - len(more.lstrip()) > len(head[1])
                if more != "\f" and not (more.strip() and is_deeper and not RULE.fullmatch(more.rstrip())):
                    break
                text += "\n" + more
            found.append((at, text))
        return found


def fold(text: str) -> str:
    """The text in one line, without the marks of ABNF's comments; a hyphen at a line's end joins words."""
    text = re.sub(r"(?<!\S);+(?!\S)", " ", text)
    return re.sub(r"(?<=\w-)\s(?=\w)", "", re.sub(r"\s+", " ", text)).strip()


def squeeze(rule: str) -> str:
    """The rule without any white space."""
    return fold(rule).replace(" ", "")


def unmark(text: str) -> str:
    """The text without the marks of Markdown."""
    return re.sub(r"\\(?=[\[\]*_<>])", "", text.replace("`", ""))


def uncomment(rule: str) -> str:
    return re.sub(r"""("[^"\n]*"|<[^>\n]*>)|;[^\n]*""", lambda found: found[1] or "", rule)


def nearest(text: str, quotation: str) -> str:
    """The words of the text that are most like the quotation."""
    words, wanted = text.split(), quotation.split()
    size = len(wanted)
    count = collections.Counter(wanted)
    overlaps = sorted(
        range(0, max(1, len(words) - size), max(1, size // 4)),
        key=lambda at: -(collections.Counter(words[at : at + size]) & count).total(),
    )
    windows = [" ".join(words[max(0, at - 3) : at + size + 3]) for at in overlaps[:8]]
    return max(windows, key=lambda window: difflib.SequenceMatcher(None, window, quotation, False).ratio())


def provide(folder: Path) -> None:
    """Takes the texts out of Debian's packages; installs nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for inner in ("lists/partial", "archives/partial", "parts"):
            (work / inner).mkdir(parents=True)
        (work / "sources").write_text(f"deb [signed-by={KEYRING}] {mirror()} non-free\n")
        options = {
            "Dir::Etc::SourceList": work / "sources",
            "Dir::Etc::SourceParts": work / "parts",
            "Dir::State::Lists": work / "lists",
            "Dir::Cache": work,
            "APT::Sandbox::User": "root",
        }
        apt = ["apt-get", "-qq", *(f"-o{option}={value}" for option, value in options.items())]
        subprocess.run([*apt, "update"], check=True)
        for package in PACKAGES:
            subprocess.run([*apt, "download", f"doc-rfc-{package}"], check=True, cwd=work)
            for archive in work.glob("*.deb"):
                unpack(archive, folder)
                archive.unlink()
    print(f"{len(Library(folder).paths)} texts of RFCs in {folder}")


def mirror() -> str:
    """The address and the suite from which this machine has its own packages."""
    places = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    text = "\n".join(
        path.read_text() for path in places if path.suffix in (".list", ".sources") and path.is_file()
    )
    address = re.search(r"^(?:URIs: *|deb (?:\[.*?\] )?)(\S+/debian)/?\s", text, re.MULTILINE)
    suite = re.search(r"^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(), re.MULTILINE)
    return f"{address[1] if address else 'http://deb.debian.org/debian'} {suite[1]}"


def unpack(archive: Path, folder: Path) -> None:
    data = subprocess.run(["dpkg-deb", "--fsys-tarfile", archive], check=True, stdout=subprocess.PIPE).stdout
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            name = Path(member.name).name
            if member.isfile() and re.fullmatch(r"rfc\d+\.txt(\.gz)?", name):
                (folder / name).write_bytes(tar.extractfile(member).read())
