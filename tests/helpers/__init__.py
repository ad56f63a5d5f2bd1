"""What tests share; no test module imports another one."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
STAND_IN = ROOT / "tests" / "helpers" / "stand_in"
CACHE = ROOT / ".cache"
