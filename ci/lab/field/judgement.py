"""What a program did, beside what a case expects of it."""

import json
import re
from dataclasses import dataclass

from lab.field.wire import shorten


@dataclass(frozen=True)
class Result:
    is_right: bool
    # In one line.
    seen: str
    # The dialogue.
    log: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ending:
    """How a program ended."""

    # The exit status, or words.
    status: int | str
    stdout: str
    stderr: str
    seconds: float

    def faults(self, expected):
        statuses = expected.get("exit", self.status)
        if self.status not in (statuses if isinstance(statuses, list) else [statuses]):
            yield f"exit {self.status}"
        for name in ("stdout", "stderr"):
            text = getattr(self, name)
            if name in expected and not re.search(expected[name], text, re.M):
                yield f"{name} is without /{expected[name]}/"
            never = expected.get(f"{name}_not")
            if never and (found := re.search(never, text, re.M)):
                yield f"{name} has {found[0]!r}"
        if self.seconds > expected.get("within", self.seconds):
            yield f"{self.seconds:.0f} s"
        if "json" in expected:
            yield from self.json_faults(expected["json"])

    def json_faults(self, expected):
        try:
            document = json.loads(self.stdout)
        except ValueError:
            yield "stdout is no JSON"
            return
        for path, wanted in expected.items():
            if (found := value_at(document, path)) != wanted:
                yield f"{path} is {json.dumps(found)}"

    def shown(self):
        output = shorten(self.stdout.strip(), 300) or "no output"
        last = self.stderr.strip().rpartition("\n")[2]
        parts = [f"exit {self.status}", output.replace("\n", " // ")]
        return "; ".join(parts + ([f"stderr: {shorten(last, 200)}"] if last else []))


def value_at(document, path):
    """`checks.of=own.iprev`: in `checks` the first object whose `of` is `own`, and of that `iprev`."""
    for part in path.split("."):
        name, equals, wanted = part.partition("=")
        try:
            if equals:
                document = next(item for item in document if item.get(name) == wanted)
            else:
                document = document[part]
        except (KeyError, StopIteration, TypeError):
            return None
    return document
