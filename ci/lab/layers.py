"""Checks that imports point down: the layers of the core and of the crates, and no circles."""

import argparse
import re
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from lab.rust_source import Crate, Module, Use

WHAT_COUNTS = """
An import is a `use`, or a path in code as `crate::session::next`; a name that is re-exported belongs to the file that
defines it. Comments, their examples and tests do not count. A re-export is no import of the file that makes it, unless
that file uses the name itself.

1. In the core no module imports from a higher layer, or from another module of its own layer, and every module has a
   layer.
2. In the core imports name modules: `crate::syntax::reply::Reply`, and not `crate::Reply`.
3. The core names neither `std` nor `alloc`, no `async` and no `Poll`.
4. In no library crate is there a circle of files, or of folders.
5. No manifest depends on a crate of a higher layer, or on another one of its own, tests included.

Exit codes: 0 all is right, 1 something is not.
"""

ROOT = Path(__file__).resolve().parents[2]
CORE = "ehlo"

# From the lowest to the highest; what stands in one row does not import one another.
LAYERS: list[tuple[str, ...]] = [
    ("syntax",),
    ("data",),
    ("session",),
    ("machine",),
    ("client", "server"),
    ("identity",),
    ("delivery", "route", "trace"),
]
CRATES: list[tuple[str, ...]] = [
    ("ehlo",),
    ("ehlo-owned", "ehlo-sasl"),
    ("ehlo-io",),
    ("ehlo-rustls",),
    ("ehlo-async-std", "ehlo-blocking", "ehlo-tokio"),
    ("ehlo-mock",),
    ("ehlo-testkit",),
]

FOREIGN = re.compile(r"\b(?:std|alloc)::|\bextern\s+crate\s+(?:std|alloc)\b|\basync\s|\bPoll\s*<")


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="layers", description=__doc__ + WHAT_COUNTS, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--self-test", action="store_true", help="check that planted faults are found")
    arguments = parser.parse_args(argv)
    if arguments.self_test:
        return self_test()
    faults = []
    for manifest in sorted(ROOT.glob("crates/*/Cargo.toml")):
        crate = Crate(manifest.parent / "src")
        uses = list(crate.uses())
        found = list(circles(uses))
        if manifest.parent.name == CORE:
            found += [*upward(uses, LAYERS), *through_root(uses), *foreign(crate)]
        faults += [f"{manifest.parent.name}: {fault}" for fault in found]
        print(f"{manifest.parent.name}: {len(crate.sources)} files, {len(uses)} uses of one by another")
    faults += dependencies(ROOT)
    print(*faults, f"{len(faults)} faults", sep="\n")
    return 1 if faults else 0


# The core ---------------------------------------------------------------------------------------------------


def upward(uses: Iterable[Use], layers: list[tuple[str, ...]]) -> Iterator[str]:
    """The crate root is above all layers: it re-exports from each of them."""
    heights = {name: height for height, names in enumerate(layers) for name in names}
    unknown = set()
    for use in uses:
        source, target = use.source[:1], use.target[:1]
        if not source or not target:
            continue
        unknown |= {name for name in source + target if name not in heights}
        if unknown & {*source, *target} or source == target:
            continue
        if heights[source[0]] <= heights[target[0]]:
            way = "up" if heights[source[0]] < heights[target[0]] else "sideways"
            yield f"{shown(use.source)} imports {way}: {use.text}"
    for name in sorted(unknown):
        yield f"{name} has no layer: it belongs into LAYERS of ci/lab/layers.py"


def through_root(uses: Iterable[Use]) -> Iterator[str]:
    for use in uses:
        if use.is_through_root:
            yield f"{shown(use.source)} imports through the crate root: {use.text}"


def foreign(crate: Crate) -> Iterator[str]:
    for source in crate.sources.values():
        for found in FOREIGN.finditer(source.code):
            line = source.code.count("\n", 0, found.start()) + 1
            yield f"{shown(source.module)} has {found[0].strip()!r} in line {line}"


# Circles ----------------------------------------------------------------------------------------------------


def circles(uses: Iterable[Use]) -> Iterator[str]:
    """Of files; and of what stands beside one another in one folder, files and folders."""
    uses = list(uses)
    modules = {module for use in uses for module in (use.source, use.target)}
    files = {(use.source, use.target): use for use in reversed(uses)}
    told = set()
    for circle in components(files):
        told.add(frozenset(circle))
        yield describe("files", circle, files)
    for folder in sorted({module[:length] for module in modules for length in range(len(module))}):
        edges: dict[tuple[Module, Module], Use] = {}
        for use in reversed(uses):
            source, target = child(folder, use.source), child(folder, use.target)
            if source and target and source != target:
                edges[source, target] = use
        for circle in components(edges):
            if frozenset(circle) not in told:
                yield describe("folders", circle, edges)


def child(folder: Module, module: Module) -> Module | None:
    """The part of a folder in which a module stands."""
    is_below = len(module) > len(folder) and module[: len(folder)] == folder
    return module[: len(folder) + 1] if is_below else None


def components(edges: Iterable[tuple[Module, Module]]) -> Iterator[list[Module]]:
    """What reaches one another: the components of more than one node."""
    following: dict[Module, set[Module]] = {}
    for source, target in edges:
        following.setdefault(source, set()).add(target)

    def reached(start: Module) -> set[Module]:
        found: set[Module] = set()
        ahead = [start]
        while ahead:
            for node in following.get(ahead.pop(), set()) - found:
                found.add(node)
                ahead.append(node)
        return found

    all_reached = {node: reached(node) for node in following}
    told: set[Module] = set()
    for node in sorted(all_reached):
        if node in all_reached[node] and node not in told:
            circle = sorted(other for other in all_reached[node] if node in all_reached.get(other, set()))
            told |= set(circle)
            if len(circle) > 1:
                yield circle


def describe(kind: str, circle: list[Module], edges: dict[tuple[Module, Module], Use]) -> str:
    lines = [f"a circle of {kind}: {', '.join(map(shown, circle))}"]
    for (source, target), use in sorted(edges.items()):
        if source in circle and target in circle:
            lines.append(f"    {shown(use.source)}, {use.text}")
    return "\n".join(lines)


def shown(module: Module) -> str:
    return "/".join(module) or "lib"


# The crates -------------------------------------------------------------------------------------------------


def dependencies(root: Path) -> Iterator[str]:
    heights = {name: height for height, names in enumerate(CRATES) for name in names}
    for manifest in sorted(root.glob("crates/*/Cargo.toml")):
        content = tomllib.loads(manifest.read_text())
        name = content["package"]["name"]
        if name not in heights:
            yield f"{name} has no layer: it belongs into CRATES of ci/lab/layers.py"
            continue
        for kind, dependency in depends_on(content):
            # A crate turns its own features on for its tests.
            if dependency == name and kind == "dev-dependencies":
                continue
            if dependency in heights and heights[dependency] >= heights[name]:
                yield f"{manifest.relative_to(root)}: {kind} has {dependency}, which is not below {name}"


def depends_on(manifest: dict) -> Iterator[tuple[str, str]]:
    for table in (manifest, *manifest.get("target", {}).values()):
        for kind in ("dependencies", "build-dependencies", "dev-dependencies"):
            for name, value in table.get(kind, {}).items():
                yield kind, value.get("package", name) if isinstance(value, dict) else name


# The planted faults -----------------------------------------------------------------------------------------

CLEAN = {
    "lib.rs": "pub mod high;\nmod low;\npub use low::thing::Thing;\npub use high::High;\n",
    "low/mod.rs": "pub mod thing;\npub mod other;\npub use thing::Thing;\n",
    "low/thing.rs": "pub struct Thing;\n",
    "low/other.rs": "use super::Thing;\npub fn other(_: Thing) {}\n",
    "high/mod.rs": "mod part;\npub use part::Part;\nuse crate::low::{other::{self}, Thing};\n"
    "pub struct High(Thing);\nfn f() { other::other(Thing) }\n",
    "high/part.rs": "//! [`crate::Thing`] and std::vec::Vec\n/* crate::high::High */\npub struct Part;\n"
    '#[cfg(test)]\nmod tests {\n    use crate::High;\n    fn f() { std::println!("}") }\n}\n'
    "const TEXT: &str = \"use crate::High; std::\";\nfn f<'a>(_: &'a str) -> char { '\"' }\n",
}
# What a file then has besides, and the beginning of the faults that have to be found.
PLANTED: list[tuple[str, dict[str, str], list[str]]] = [
    ("nothing", {}, []),
    ("a use", {"low/thing.rs": "use crate::high::Part;"}, ["low/thing imports up"]),
    ("a path in code", {"low/thing.rs": "fn f() { crate::high::Part; }"}, ["low/thing imports up"]),
    ("super", {"low/thing.rs": "use super::super::high::{self as h};"}, ["low/thing imports up"]),
    ("a glob", {"low/thing.rs": "use crate::high::*;"}, ["low/thing imports up"]),
    (
        "a name under a glob",
        {"low/thing.rs": "use crate::high::*;\nfn f() { Part::f() }"},
        ["low/thing imports up", "low/thing imports up"],
    ),
    (
        "an alias in a function",
        {"low/thing.rs": "fn f() { use crate::high as h; }"},
        ["low/thing imports up"],
    ),
    (
        "a re-export from above",
        {"low/mod.rs": "pub use crate::high::Part;\nfn f(_: Part) {}"},
        ["low imports up"],
    ),
    ("no layer", {"lib.rs": "mod new;", "new.rs": "use crate::low::Thing;"}, ["new has no layer"]),
    ("the root", {"high/part.rs": "use crate::Thing;"}, ["high/part imports through"]),
    (
        "the root, in code and by super",
        {"high/part.rs": "fn f(_: crate::Thing, _: super::super::Thing) {}"},
        ["high/part imports through", "high/part imports through"],
    ),
    (
        "a circle of two files, by a re-export",
        {"low/thing.rs": "use super::other::other;"},
        ["a circle of files: low/other, low/thing"],
    ),
    (
        "a circle of a file and its folder",
        {"high/part.rs": "use super::High;", "high/mod.rs": "fn g(_: Part) {}"},
        ["a circle of files: high, high/part"],
    ),
    (
        "a circle of folders",
        {
            "low/mod.rs": "pub mod a; pub mod b;",
            "low/a/mod.rs": "pub mod one; pub mod two;",
            "low/a/one.rs": "use crate::low::b::One;",
            "low/a/two.rs": "pub struct Two;",
            "low/b/mod.rs": "pub mod one; mod two; pub use one::One;",
            "low/b/one.rs": "pub struct One;",
            "low/b/two.rs": "use super::super::a::two::Two;",
        },
        ["a circle of folders: low/a, low/b"],
    ),
    ("std", {"low/thing.rs": "fn f(_: std::vec::Vec<u8>) {}"}, ["low/thing has 'std::'"]),
    ("async", {"low/thing.rs": "async fn f() {}"}, ["low/thing has 'async'"]),
]


def self_test() -> int:
    failures = 0
    for title, planted, wanted in PLANTED:
        with tempfile.TemporaryDirectory() as folder:
            for name in {**CLEAN, **planted}:
                path = Path(folder, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{CLEAN.get(name, '')}{planted.get(name, '')}\n")
            crate = Crate(Path(folder))
            uses = list(crate.uses())
            found = [
                *circles(uses),
                *upward(uses, [("low",), ("high",)]),
                *through_root(uses),
                *foreign(crate),
            ]
        # An import that points up closes a circle, too.
        if any("imports up" in fault for fault in found):
            found = [fault for fault in found if "circle" not in fault]
        if len(found) != len(wanted) or not all(map(str.startswith, found, wanted)):
            failures += 1
            print(f"planted: {title}\nwanted:  {wanted}", *found, sep="\n")
    with tempfile.TemporaryDirectory() as folder:
        for name, lines in [
            ("ehlo", '[dev-dependencies]\nkit = { package = "ehlo-testkit" }'),
            ("ehlo-tokio", "[dependencies]\nehlo.workspace = true\nehlo-blocking.workspace = true"),
            ("ehlo-new", "[dependencies]\nehlo.workspace = true"),
        ]:
            path = Path(folder, "crates", name, "Cargo.toml")
            path.parent.mkdir(parents=True)
            path.write_text(f'[package]\nname = "{name}"\n{lines}\n')
        found = list(dependencies(Path(folder)))
    if len(found) != 3:
        failures += 1
        print("planted: dependencies", *found, sep="\n")
    print(f"{len(PLANTED) + 1} planted crates, {failures} judged wrongly")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
