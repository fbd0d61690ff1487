"""Reads Rust without a compiler: the imports of each file, and the files that define them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path as FilePath

# A module of a crate: `("syntax", "path")`; the crate root is `()`.
Module = tuple[str, ...]


@dataclass(frozen=True)
class Import:
    """One name of a `use` tree."""

    path: tuple[str, ...]
    # What it is called here: the last segment, the word behind `as`, or `*`.
    name: str
    is_public: bool
    line: int


@dataclass(frozen=True)
class Use:
    """A file uses something that another file of its crate defines."""

    source: Module
    target: Module
    line: int
    # As it is written.
    path: str
    # The name goes through a re-export of the crate root.
    is_through_root: bool

    @property
    def text(self) -> str:
        return f"line {self.line}: {self.path}"


@dataclass
class Source:
    """A file of a crate, which is one module."""

    module: Module
    path: FilePath
    # Without comments, strings and tests, each character in its place.
    code: str
    imports: list[Import] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.imports = list(imports(self.code))

    @cached_property
    def body(self) -> str:
        """The code without its imports."""
        return IMPORT.sub(lambda found: blank(found[0]), self.code)

    @cached_property
    def words(self) -> set[str]:
        return set(re.findall(r"\w+", re.sub(r"\bmod\s+\w+\s*;", "", self.body)))

    def defines(self, name: str) -> bool:
        kinds = r"fn|struct|enum|union|trait|type|const|static|mod|macro_rules!"
        found = re.search(rf"\b(?:{kinds})\s+{re.escape(name)}\b", self.body)
        return bool(found) or any(one.name == name for one in self.imports)


class Crate:
    """The modules below a folder `src`."""

    def __init__(self, folder: FilePath) -> None:
        self.folder = folder
        self.sources: dict[Module, Source] = {}
        for path in sorted(folder.rglob("*.rs")):
            parts = path.relative_to(folder).with_suffix("").parts
            module = parts[:-1] if parts[-1] in ("lib", "mod") else parts
            self.sources[module] = Source(module, path, without_tests(without_comments(path.read_text())))

    def uses(self) -> Iterator[Use]:
        for source in self.sources.values():
            yield from self.uses_of(source)

    def uses_of(self, source: Source) -> Iterator[Use]:
        for one in source.imports:
            # A re-export that the file itself does not use imports nothing.
            if one.is_public and one.name not in source.words:
                continue
            yield from self.use(source.module, one.path, one.line)
        for found in PATH.finditer(source.body):
            line = source.body.count("\n", 0, found.start()) + 1
            yield from self.use(source.module, tuple(re.split(r"\s*::\s*", found[0])), line)

    def use(self, module: Module, path: tuple[str, ...], line: int) -> Iterator[Use]:
        through: list[str] = []
        target = self.resolve(module, path, through)
        if target is not None and target != module:
            yield Use(module, target, line, "::".join(path), bool(through))

    def resolve(
        self, module: Module, path: tuple[str, ...], through: list[str], depth: int = 0
    ) -> Module | None:
        """The module that defines what `path` names in `module`; `None` for what other crates define."""
        if depth > 20:
            return None
        at, rest = module, path
        if path[0] in ("crate", "$crate"):
            at, rest = (), path[1:]
        elif path[0] in ("self", "super"):
            while rest and rest[0] in ("self", "super"):
                at, rest = (at[:-1] if rest[0] == "super" else at), rest[1:]
        elif not self.knows(module, path[0]):
            return None
        for number, name in enumerate(rest):
            if name == "*":
                break
            if at + (name,) in self.sources:
                at += (name,)
                continue
            # What the root has beside modules is re-exported.
            if at == () and module != ():
                through.append(name)
            found = self.binding(at, name)
            if found is None:
                break
            return self.resolve(at, found + rest[number + 1 :], [], depth + 1)
        return at

    def knows(self, module: Module, name: str) -> bool:
        return module + (name,) in self.sources or self.binding(module, name) is not None

    def binding(self, module: Module, name: str) -> tuple[str, ...] | None:
        """The path of the import that brings a name into a module."""
        imported = self.sources[module].imports
        for one in imported:
            if one.name == name and one.path != (name,):
                return one.path
        for one in imported:
            if one.name == "*" and one.path[0] in ("crate", "self", "super"):
                target = self.resolve(module, one.path[:-1], [], 1)
                if target is not None and target != module and self.sources[target].defines(name):
                    return one.path[:-1] + (name,)
        return None


# Text -------------------------------------------------------------------------------------------------------

TOKEN = re.compile(
    r"""//[^\n]* | /\*.*?\*/
    | (?<!\w)(?:b|c)?r(?P<hashes>\#*)".*?"(?P=hashes) | (?<!\w)[bc]?"(?:\\.|[^"\\])*"
    | b?'(?:\\[^\n]+?|[^\\'\n])'""",
    re.DOTALL | re.VERBOSE,
)
IMPORT = re.compile(r"(?<![\w$])(?P<public>pub(?:\s*\([^)]*\))?\s+)?use\s+(?P<tree>[^;]+);")
PATH = re.compile(r"(?<![\w:.'])(?:\$?[A-Za-z_]\w*)(?:\s*::\s*[A-Za-z_]\w*)+")
TEST = re.compile(r"#\[cfg\(test\)\]")


def blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def without_comments(code: str) -> str:
    """The code with spaces for comments and literals."""
    return TOKEN.sub(lambda token: blank(token[0]), code)


def without_tests(code: str) -> str:
    """The code with spaces for every item under `#[cfg(test)]`."""
    while found := TEST.search(code):
        end = end_of_item(code, found.end())
        code = code[: found.start()] + blank(code[found.start() : end]) + code[end:]
    return code


def end_of_item(code: str, start: int) -> int:
    depth = 0
    for at in range(start, len(code)):
        character = code[at]
        depth += (character in "{([") - (character in "})]")
        if depth == 0 and character in ";}":
            return at + 1
    return len(code)


def imports(code: str) -> Iterator[Import]:
    for found in IMPORT.finditer(code):
        line = code.count("\n", 0, found.start("tree")) + 1
        for path, name in branches(found["tree"]):
            yield Import(path, name, bool(found["public"]), line)


def branches(tree: str, stem: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every path of a `use` tree, with the name that it has behind it."""
    tree = tree.strip()
    head, brace, inner = tree.partition("{")
    segments = stem + tuple(word for part in head.split("::") if (word := part.strip()))
    if brace:
        for branch in at_commas(inner.rstrip()[:-1]):
            yield from branches(branch, segments)
        return
    *start, last = segments
    words = last.split()
    last, name = words[0], words[-1]
    if last == "self" and start:
        yield tuple(start), start[-1] if len(words) == 1 else name
    else:
        yield (*start, last), name


def at_commas(inner: str) -> Iterator[str]:
    depth, part = 0, ""
    for character in inner + ",":
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            if part.strip():
                yield part
            part = ""
        else:
            part += character
