"""What the hub lends to the administrator's pages."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from pathlib import Path

from desk.admin import Backstage
from hub.app import Hub
from hub.editing import Editing
from hub.redrive import redrive
from hub.shelf import ModelShelf


def backstage(hub: Hub, configs: Path, channels: Collection[str]) -> Backstage:
    """Files of ``configs``, models and rejects of this hub; ``channels`` are those that rules may name."""
    return Backstage(
        files=Editing(hub, configs, channels),
        shelf=ModelShelf(hub.data / "models", hub.city.taxonomy),
        redrive=partial(redrive, hub),
    )
