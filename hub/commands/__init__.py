"""What each ``minsheng`` command does; ``hub.cli`` only parses."""

from __future__ import annotations

from hub.commands.assess import assess_
from hub.commands.check import check
from hub.commands.dryrun import dry_run
from hub.commands.intake import dead_, import_, migrate_, poll_, replay_, user_
from hub.commands.model import classify_, evaluate_, models_, train_
from hub.commands.run import run

__all__ = [
    "assess_",
    "check",
    "classify_",
    "dead_",
    "dry_run",
    "evaluate_",
    "import_",
    "migrate_",
    "models_",
    "poll_",
    "replay_",
    "run",
    "train_",
    "user_",
]
