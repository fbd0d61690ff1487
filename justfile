# The steps of .ci/run, which does the work; `.ci/run --list` says what each of them is.

[private]
default:
    @.ci/run --list

# Format, and cargo check of the workspace
check:
    .ci/run check

# cargo test --workspace
test:
    .ci/run test

# Format, clippy, ruff and shellcheck
lint:
    .ci/run lint

# cargo doc without a warning
docs:
    .ci/run docs

# No panic, no allocator, no operating system: by linking
proofs:
    .ci/run proofs

# Each fuzz target for FUZZ_SECONDS (30)
fuzz:
    .ci/run fuzz

# Everything that talks to mail programs written by others
interop:
    .ci/run interop

# Instruction counts, and times beside those of other crates
bench:
    .ci/run bench

# All that needs neither root nor mail programs
rootless:
    .ci/run rootless

# All steps, after what they need is installed
all:
    .ci/run

# Install what the steps need, or what all of them need
provide *steps:
    ci/run provide {{ steps }}

# A command of ci/lab: `just lab peers --only RE`
[positional-arguments]
lab *arguments:
    ci/run "$@"
