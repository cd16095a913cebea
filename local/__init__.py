"""The declared stack on one machine: `make serve`, and the emulated account under the tests."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # of the project
