"""Starts the command by forking from a process that has the hub's modules loaded already.

A fresh interpreter takes seconds to load them, each time; what is then killed is the same command in a
process of its own. Reads an order a line from standard input, ``{"args", "env", "out", "err"}`` or
``{"wait": pid}``, and answers with a number a line: the process, or how it ended (-1000: not yet).
"""

import json
import os
import sys
from typing import Any

from hub.cli import main as minsheng
from store.faults import arm

NOT_YET = -1000


def start(order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    for fd, name in ((0, os.devnull), (1, order["out"]), (2, order["err"])):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT, 0o600), fd)
    os.environ |= order["env"]
    arm(os.environ.get("MINSHENG_CRASH_AT", ""))
    minsheng(order["args"])
    return 0


def ended(pid: int) -> int:
    found, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else NOT_YET


def main() -> None:
    del sys.modules[
        "__main__"
    ].__file__  # a worker process of the command loads its own modules only
    for line in sys.stdin:
        order = json.loads(line)
        print(ended(order["wait"]) if "wait" in order else start(order), flush=True)


if __name__ == "__main__":
    main()
