"""What `receive` bears: 50,000 messages over 100 connections. It takes minutes: `--all`."""

import os
import subprocess
import time
from collections import Counter

from lab.checks import check, expect
from lab.clients.idle import resident
from lab.programs import Receive, environment


@check(
    "load: 50,000 messages of 4 KiB by 100 connections at once are all stored, in memory that stays flat",
    limit=1200,
    slow=True,
)
def fifty_thousand(work):
    with Receive(work, "--max-connections", "200", "--max-per-address", "200") as server:
        command = [
            "smtp-source",
            "-s",
            "100",
            "-m",
            "50000",
            "-l",
            "4096",
            "-f",
            "a@test",
            "-t",
            "u@test",
            f"127.0.0.1:{server.port}",
        ]
        start, samples, new = time.monotonic(), [], server.maildir / "new"
        with subprocess.Popen(command, env=environment(work)) as source:
            while source.poll() is None:
                time.sleep(1)
                samples.append(resident(server))
        seconds = time.monotonic() - start
        expect(source.returncode == 0, f"smtp-source ended with {source.returncode}")
        count = sum(1 for _ in os.scandir(new))
        expect(count == 50000, f"{count} stored")
        sizes = Counter(entry.stat().st_size // 64 for entry in os.scandir(new))
        expect(len(sizes) <= 3, f"sizes {sizes}")
        half = len(samples) // 2
        early, late = max(samples[: half or 1]), max(samples[half:])
        print(
            f"    {count / seconds:.0f} messages a second; {early / 1e6:.1f} MB at most in the first half, {late / 1e6:.1f} in the second"
        )
        expect(late < early * 1.2 + 2e6, "memory grows")
