"""python3 -m lab COMMAND [ARGUMENT…]: the checks that are written in Python. Each command has a --help."""

import importlib
import sys

# The module of each command has a function `main(argv: list[str]) -> int`, which returns the exit
# status, and a docstring whose first line describes the command.
COMMANDS = {
    "peers": "lab.peers",
    "clients": "lab.clients",
    "interop": "lab.interop",
    "probe": "lab.probe",
    "round-trips": "lab.round_trips",
    "quotes": "lab.quotes",
    "layers": "lab.layers",
    "readme": "lab.readme",
    "field": "lab.field",
    "start": "lab.servers",
    "provide": "lab.provide",
}


def main() -> int:
    name, *argv = sys.argv[1:] or ["--help"]
    if name in ("--list", "--help", "-h"):
        print(__doc__, end="\n\n")
        for command, module in COMMANDS.items():
            summary = (importlib.import_module(module).__doc__ or "").partition("\n")[0]
            print(f"{command:12}{summary}")
        return 0
    if name not in COMMANDS:
        print(f"lab: no command {name!r}; the commands are {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    return importlib.import_module(COMMANDS[name]).main(argv)


if __name__ == "__main__":
    sys.exit(main())
