"""Serves the live page of one run, to this machine only."""

import http.server
import json
import math
import os
import re
import threading
from pathlib import Path

from utils import runs

_ASSETS = Path(__file__).parent / "page"

_PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/chart.js": ("chart.js", "text/javascript; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
}
_PICTURE = re.compile(r"/images/((?:sample_[0-9]{1,12}|real|converge)\.png)")
_LOCAL_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]{1,5})?")  # any port: ssh -L has its own
_PNG = b"\x89PNG\r\n\x1a\n"
_LOG_LINES = 12
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def snapshot(folder: str | os.PathLike) -> dict:
    """What the page shows of a run, ready for JSON; None or empty for what does not exist yet.

    Returns:
        `run`, `data`: names. `state`: see `utils.runs.run_status`. `epochs` done and `planned`.
        `images_per_second`. `seconds_left`. `age`: seconds since the last epoch. `samples`: their
        epochs. `session`, `newest`, `converge`: numbers that change with the samples, the newest
        sample and `converge.png`, so that a browser loads them again; `real` the same of the real
        images. `scores`: rows of `metrics.csv`, and those of the last session's end. `best`: the
        epoch of the best row. `notice`: a warning. `log`: its last lines.
    """
    folder = Path(folder)
    params = runs.read_params(folder)
    model, training = params["model"], params["training"]
    done, planned = runs.epochs_done(folder), runs.positive_int(training, "epochs")
    status, seconds = runs.run_status(folder), runs.seconds_per_epoch(folder)
    sizes = runs.positive_int(model, "batch_size"), runs.positive_int(training, "n_critic")
    samples, scores = runs.find_samples(folder), runs.shown_scores(folder)
    best = runs.best_scores(scores)
    lost = runs.lost_chance_of_run(folder, model)
    age = runs.seconds_since_last_epoch(folder)
    ends = seconds and planned and status == "running"
    return {
        "run": folder.resolve().name,
        "data": str(training.get("data") or ""),
        "state": status,
        "epochs": done,
        "planned": planned,
        "images_per_second": sizes[0] * sizes[1] / seconds if seconds and all(sizes) else None,
        "seconds_left": max(0, planned - done) * seconds if ends else None,
        "age": age if math.isfinite(age) else None,
        "session": runs.modified_time(folder / "params.json"),
        "newest": runs.modified_time(samples[-1][1]) if samples else 0,
        "samples": [epoch for epoch, _ in samples],
        "converge": runs.modified_time(folder / "images" / "converge.png"),
        "real": runs.modified_time(folder / "images" / "real.png"),
        "notice": lost and f"Now {runs.describe_lost(lost)}",
        "scores": [
            {name: v if math.isfinite(v) else None for name, v in row.items()} for row in scores
        ],
        "best": best and best["epoch"],
        "log": runs.last_lines(folder / "log.txt")[-_LOG_LINES:],
    }


class Server(http.server.ThreadingHTTPServer):
    """Serves the page of one run to this machine, read-only.

    It only answers requests for `127.0.0.1` or `localhost`: otherwise a foreign website could point
    its own name at 127.0.0.1 and read the run (DNS rebinding). On a machine of Colab, which has no
    browser and a proxy in front, it answers to every name.

    Raises:
        OSError: the port is in use.
    """

    daemon_threads = True

    def __init__(self, folder: str | os.PathLike, port: int = 0):
        self.folder = Path(folder)
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise OSError(f"port {port}: {error.strerror}; choose another --port") from error
        self.address = f"http://127.0.0.1:{self.server_port}/"

    def handle_error(self, request, client_address):
        """Prints nothing: a browser may close a connection early."""


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = 30  # seconds for a request to arrive
    server_version, sys_version = "watch", ""

    def do_GET(self):
        if not (_LOCAL_HOST.fullmatch(self.headers.get("Host", "")) or _in_colab()):
            self._answer(403, "text/plain", b"This page is served as 127.0.0.1 only\n")
            return
        path = self.path.partition("?")[0]
        picture = _PICTURE.fullmatch(path)
        if path in _PAGE:
            name, kind = _PAGE[path]
            self._answer(200, kind, (_ASSETS / name).read_bytes())
        elif path == "/state.json":
            content = json.dumps(snapshot(self.server.folder), allow_nan=False)
            self._answer(200, "application/json", content.encode())
        elif picture and (content := _png(self.server.folder / "images" / picture[1])):
            self._answer(200, "image/png", content)
        else:
            self._answer(404, "text/plain", b"No such page\n")

    def _answer(self, status, kind, content):
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Prints nothing: the page asks every few seconds."""


def _in_colab() -> bool:
    """Whether this machine is one of Colab's, by a variable that Colab sets."""
    return "COLAB_RELEASE_TAG" in os.environ


def _png(path: Path) -> bytes:
    """The bytes of a PNG; empty without a file, or if the file is not a PNG."""
    try:
        content = path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""
    return content if content.startswith(_PNG) else b""


def watch(folder: str | os.PathLike, port: int = 0) -> str:
    """Serves the page of a run until this process ends, in a thread, and returns its address.

    Args:
        folder: the run folder, which need not exist yet.
        port: of this machine; 0 for any free one.

    Raises:
        OSError: the port is in use.
    """
    server = Server(folder, port)
    threading.Thread(target=server.serve_forever, name="watch", daemon=True).start()
    return server.address
