"""What a process leaves to be said should it end without a word, as one that is aborted does."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator

# Reads until the process has ended; anything read says that it ended in peace.
_WAITING = "import sys; sys.stdin.read() or print('', *sys.argv[1:], sep='\\n', file=sys.stderr)"


@contextlib.contextmanager
def last_words(words: str) -> Iterator[None]:
    """Has `words` said on stderr if this process ends within the block: `kill -9`, an abort.

    A process of its own waits for that; an exception is an end in peace, with words of its own.
    """
    waiting = subprocess.Popen(
        [sys.executable, "-S", "-c", _WAITING, words],
        stdin=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is not meant for it
    )
    try:
        yield
    finally:
        waiting.communicate(b".")
