"""Processes one file and ends: `python -m gateway.media.worker JOB` prints its answer as one line of JSON.

A process lives for one file. What a hostile file does to it ends with it, and its limits of CPU time and
memory are those of that file. Starting one takes 0.1 s of CPU time; a small picture then takes 0.1 s, and a
photo of 12 megapixels 0.3 s. Processes that stay would save that start. But they would have to count CPU time
per file, and a process that one user's file may have taken over would get the next user's file.

The limits are set before anything that reads files is imported. Environment variables with secrets never
reach this process, because the gateway starts it with an environment of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, Final

from gateway.media.job import Job, Limits

ALARM_LATER_S: Final = 5


def limit(limits: Limits) -> None:
    """Sets the limits of this process."""
    for kind, most in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_FSIZE, limits.written_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    # The first of the two ends the process with SIGXCPU, which says why. The second one kills it.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_s, limits.cpu_s + 1))
    os.nice(limits.nice)
    # If the container has too little memory, this process ends, and not the gateway. Linux only.
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    # If the gateway dies, nobody else ends this process. Otherwise the gateway is earlier.
    signal.alarm(limits.deadline_s + ALARM_LATER_S)


def main(text: str) -> dict[str, Any]:
    """The answer to the job: a result, `refused` or `busy` with the reason."""
    job = Job.decode(text)
    limit(job.limits)
    try:
        from gateway.media.work import answer
    except (ImportError, MemoryError) as error:
        # Nothing of the file has been read yet.
        return {"busy": f"the libraries can't be loaded: {error}"}
    return answer(job)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
