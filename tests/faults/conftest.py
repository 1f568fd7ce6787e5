"""Fixtures of the fault harness."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from conftest_faults import department, nursery

__all__ = ["department", "nursery"]
