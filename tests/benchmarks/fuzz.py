"""Fuzzing of the loader, the checkpoint reader and `load_generator`; see `tests.helpers.fuzz`.

Prints how many files were read and how many refused, and each fault with the number of its case;
`--first NUMBER --cases 1` repeats it.
"""

import argparse
import collections
import re
import sys
import time

from tests.helpers import fuzz


def main() -> int:
    """Runs the cases and prints the figures; returns 1 where there is a fault."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000, help="how many (10000)")
    parser.add_argument("--first", type=int, default=0, help="number of the first case (0)")
    parser.add_argument(
        "--step", type=int, default=1, help="between two numbers (1); --first 4 --step 5: bit flips"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes at a time (2)")
    arguments = parser.parse_args()

    def progress(done):
        if sys.stderr.isatty():
            print(f"\r{done} of {arguments.cases}", end="", file=sys.stderr)

    start = time.monotonic()
    end = arguments.first + arguments.cases * arguments.step
    numbers = range(arguments.first, end, arguments.step)
    outcomes, faults = fuzz.fuzz(numbers, arguments.workers, progress)
    seconds = time.monotonic() - start
    read = sum(text == "read" for text in outcomes.values())
    print(f"{len(numbers)} cases in {seconds:.0f} s ({len(numbers) / seconds:.0f} a second):")
    print(f"{read} read, {len(outcomes) - read} refused, {len(faults)} faults")
    kinds = collections.Counter(
        re.sub(r"[\d.]+|'.*?'|\(.*", "…", text.split(": ", 1)[-1])[:60]
        for text in outcomes.values()
        if text != "read"
    )
    for kind, count in kinds.most_common(25):
        print(f"{count:7}  {kind}")
    for number, fault in sorted(faults.items()):
        print(f"case {number}: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
