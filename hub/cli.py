"""The command ``minsheng``. Exit codes: 0 done, 1 something was refused, 2 a setting must change."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from desk.accounts import ROLES
from hub import commands
from store.errors import ConfigError, HubError

Command = Callable[[argparse.Namespace], "int"]


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point: parse, run, and turn the hub's errors into one line."""
    args = parser().parse_args(argv)
    try:
        code = args.command(args)
    except ConfigError as error:
        print(error, file=sys.stderr)
        code = 2
    except HubError as error:
        print(error, file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.stdout.flush()
    sys.exit(code)


def parser() -> argparse.ArgumentParser:  # noqa: PLR0915 - one line an option
    """Every command and option."""
    top = argparse.ArgumentParser(
        prog="minsheng", description="The city's ear: hear, understand, dispatch."
    )
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--configs", metavar="DIR", help="configuration folder (default: ./configs)"
    )
    common.add_argument("--data", metavar="DIR", default="var", help="data folder (default: ./var)")
    labelled = argparse.ArgumentParser(add_help=False)
    labelled.add_argument(
        "--configs", metavar="DIR", help="configuration folder (default: ./configs)"
    )
    labelled.add_argument(
        "--data",
        metavar="F|DIR",
        action="append",
        default=[],
        type=Path,
        help="a file is labelled JSON lines (repeatable), a folder the data folder (default: ./var)",
    )
    sub = top.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, command: Command, text: str, base: argparse.ArgumentParser = common
    ) -> argparse.ArgumentParser:
        one = sub.add_parser(name, help=text, description=text, parents=[base])
        one.set_defaults(command=command)
        return one

    run = add("run", commands.run, "Run the hub until it is stopped.")
    run.add_argument("--demo", action="store_true", help="fictional messages arrive by themselves")
    run.add_argument(
        "--only",
        metavar="ROOM",
        action="append",
        help="ingest, classify, router or desk; repeatable",
    )
    run.add_argument("--host", help="listen address")
    run.add_argument("--port", type=int, help="listen port; 0 picks a free one")
    add(
        "check",
        commands.check,
        "Check every setting and every rule's examples, and reach every endpoint.",
    )
    add("migrate", commands.migrate_, "Bring the database's schema up to date.")

    replay = add("replay", commands.replay_, "Feed recorded messages through the whole pipeline.")
    replay.add_argument("file", metavar="FILE", type=Path, help="JSON lines with id and text")
    replay.add_argument(
        "--channel", required=True, metavar="NAME", help="channel of messages that name none"
    )
    replay.add_argument("--json", action="store_true", help="print the counts as JSON")

    classify = add("classify", commands.classify_, "Label messages without storing them.")
    classify.add_argument(
        "--input", metavar="F", default="-", help="JSON lines with id and text (default: stdin)"
    )
    classify.add_argument(
        "--output", metavar="F", default="-", help="where verdicts go (default: stdout)"
    )

    train = add("train", commands.train_, "Train the classifier from labelled messages.", labelled)
    train.add_argument("--taxonomy", metavar="T", type=Path, help="another taxonomy.toml")
    train.add_argument("--promote", action="store_true", help="use it even if it is not better")

    models = add("models", commands.models_, "List models; choose the one in use or on trial.")
    models.add_argument(
        "action",
        nargs="?",
        default="list",
        choices=["list", "use", "rollback", "shadow"],
        help="rollback goes back one; shadow NAME judges beside the one in use, shadow off ends it",
    )
    models.add_argument("name", nargs="?", default="", metavar="NAME", help="a model, or off")
    models.add_argument("--taxonomy", metavar="T", type=Path, help="another taxonomy.toml")

    evaluate = add(
        "evaluate", commands.evaluate_, "Measure the classifier on labelled messages.", labelled
    )
    evaluate.add_argument("--taxonomy", metavar="T", type=Path, help="another taxonomy.toml")
    evaluate.add_argument("--json", action="store_true", help="print the measures as JSON")

    tried = add("dry-run", commands.dry_run, "Show what changed rules would move; change nothing.")
    tried.add_argument(
        "--days", metavar="N", type=int, default=30, help="how far back (default: 30)"
    )
    tried.add_argument("--routing", metavar="FILE", type=Path, help="the changed routing.toml")
    tried.add_argument("--departments", metavar="FILE", type=Path, help="changed departments.toml")
    tried.add_argument("--taxonomy", metavar="FILE", type=Path, help="another taxonomy.toml")
    tried.add_argument("--model", metavar="NAME", default="", help="understand by another model")
    tried.add_argument("--json", action="store_true", help="print the moves as JSON")

    poll = add("poll", commands.poll_, "Ask one source now.")
    poll.add_argument("name", metavar="NAME", help="its name under [connectors]")
    poll.add_argument("--dry-run", action="store_true", help="print the items, store nothing")
    poll.add_argument("--sweep", action="store_true", help="read the last days again")

    imported = add("import", commands.import_, "Take in a list: CSV, XLSX, XLS, ODS.")
    imported.add_argument("file", metavar="FILE", type=Path, help="the exported file")
    imported.add_argument(
        "--channel", default="hotline", metavar="NAME", help="its name under [connectors.lists]"
    )
    imported.add_argument(
        "--preview", action="store_true", help="show how it is understood, store nothing"
    )

    dead = add("dead", commands.dead_, "List rejects, or feed them again.")
    dead.add_argument("--replay", action="store_true", help="feed every reject again")
    dead.add_argument("--json", action="store_true", help="print as JSON lines")

    assess = add("assess", commands.assess_, "Show the month's assessment; freeze it.")
    assess.add_argument("month", metavar="MONTH", help="like 2026-11")
    assess.add_argument(
        "--by",
        default="department",
        choices=["department", "territory", "rule"],
        help="what a line is of (default: department)",
    )
    assess.add_argument("--freeze", action="store_true", help="fix its numbers for good")
    assess.add_argument("--json", action="store_true", help="print the numbers as JSON")

    user = add(
        "user", commands.user_, "Add a person or set a new password (read from standard input)."
    )
    user.add_argument("name", metavar="NAME")
    user.add_argument("--role", required=True, help=", ".join(ROLES))
    user.add_argument("--display", default="", help="name on screen")
    user.add_argument(
        "--scope", default="", help="office of the role department, area of the role subdistrict"
    )
    return top
