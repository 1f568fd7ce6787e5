"""What the hub lends to the administrator's pages."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from desk.admin import Backstage
from hub.app import Hub
from hub.commands.common import known_channels
from hub.editing import Editing
from hub.redrive import redrive
from hub.shelf import ModelShelf


def backstage(hub: Hub, configs: Path) -> Backstage:
    """Files of ``configs``, models and rejects of this hub."""
    return Backstage(
        files=Editing(hub, configs, known_channels(hub.settings)),
        shelf=ModelShelf(hub.data / "models", hub.city.taxonomy),
        redrive=partial(redrive, hub),
    )
