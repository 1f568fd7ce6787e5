"""``python -m hub`` is ``minsheng``."""

from hub.cli import main

main()
