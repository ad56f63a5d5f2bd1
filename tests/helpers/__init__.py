"""What tests share; no test module imports another one."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
STAND_IN = ROOT / "tests" / "helpers" / "stand_in"
CACHE = ROOT / ".cache"
JAX = {
    "KERAS_BACKEND": "jax",
    "JAX_PLATFORMS": "cpu",
    # Compiling takes most of the time of a small training: less optimised, and read from a cache.
    "XLA_FLAGS": "--xla_backend_optimization_level=0",
    "JAX_COMPILATION_CACHE_DIR": str(CACHE / "jax"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
}
"""The environment of processes on JAX."""
