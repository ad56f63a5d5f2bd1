"""A page on this machine that shows a run as it goes on."""

import http.server
import json
import math
import os
import re
import threading
from pathlib import Path

from utils.runs import state as runs
from utils.runs.params import read_params, whole

ASSETS = Path(__file__).parent / "page"

_PAGE = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/chart.js": ("chart.js", "text/javascript; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
}
_PICTURE = re.compile(r"/images/((?:sample_[0-9]{1,12}|real|converge)\.png)")
_OWN_NAME = re.compile(r"(127\.0\.0\.1|localhost)(:[0-9]{1,5})?")  # any port: ssh -L has its own
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
    """What the page shows of a run, fit for JSON; what is not there yet is None or empty.

    Returns:
        `run`, `data`: names; `state`: see `utils.runs.state.state`; `epochs` done and `planned`;
        `images_per_second`; `seconds_left`; `age`, seconds since the last epoch; `session` and
        `newest`, which change where samples or the newest of them do; `samples`, their epochs;
        `converge`, which changes with that picture; `scores`, rows, and `best`, the epoch of one;
        `log`, the last lines.
    """
    folder = Path(folder)
    params = read_params(folder)
    model, training = params["model"], params["training"]
    done, planned = runs.epochs_done(folder), whole(training, "epochs")
    seconds = runs.seconds_per_epoch(folder)
    sizes = whole(model, "batch_size"), whole(training, "n_critic")
    samples, scores = runs.samples(folder), runs.scores(folder)
    state, best = runs.run_status(folder), runs.best(scores)
    age = runs.age(folder)
    left = seconds and planned and state == "running"
    return {
        "run": folder.resolve().name,
        "data": str(training.get("data") or ""),
        "state": state,
        "epochs": done,
        "planned": planned,
        "images_per_second": sizes[0] * sizes[1] / seconds if seconds and all(sizes) else None,
        "seconds_left": max(0, planned - done) * seconds if left else None,
        "age": age if math.isfinite(age) else None,
        "session": runs.changed(folder / "params.json"),
        "newest": runs.changed(samples[-1][1]) if samples else 0,
        "samples": [epoch for epoch, _ in samples],
        "converge": runs.changed(folder / "images" / "converge.png"),
        "scores": [
            {name: v if math.isfinite(v) else None for name, v in row.items()} for row in scores
        ],
        "best": best and best["epoch"],
        "log": runs.tail(folder / "log.txt")[-_LOG_LINES:],
    }


class Server(http.server.ThreadingHTTPServer):
    """Serves the page of one run to this machine, for reading only.

    It answers to the names of this machine alone, so that no page from elsewhere can have its own
    name resolved to 127.0.0.1 and read along (DNS rebinding). Behind Colab's proxy, on a machine
    without a browser, every name is right.

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
        """Says nothing: a browser that leaves in the middle is no error."""


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = 30  # seconds for a request to arrive
    server_version, sys_version = "watch", ""

    def do_GET(self):
        if not (_OWN_NAME.fullmatch(self.headers.get("Host", "")) or _in_colab()):
            self._answer(403, "text/plain", b"Ask for it as 127.0.0.1\n")
            return
        path = self.path.partition("?")[0]
        picture = _PICTURE.fullmatch(path)
        if path in _PAGE:
            name, kind = _PAGE[path]
            self._answer(200, kind, (ASSETS / name).read_bytes())
        elif path == "/state.json":
            state = json.dumps(snapshot(self.server.folder), allow_nan=False)
            self._answer(200, "application/json", state.encode())
        elif picture and (content := _png(self.server.folder / "images" / picture[1])):
            self._answer(200, "image/png", content)
        else:
            self._answer(404, "text/plain", b"There is no such page\n")

    def _answer(self, status, kind, content):
        self.send_response(status)
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Says nothing of requests, of which there are many."""


def _in_colab() -> bool:
    """Whether this is a machine of Colab's."""
    return "COLAB_RELEASE_TAG" in os.environ


def _png(path: Path) -> bytes:
    """A picture; empty where there is none, or a link to what is none."""
    try:
        content = path.read_bytes() if path.is_file() else b""
    except OSError:
        return b""
    return content if content.startswith(_PNG) else b""


def watch(folder: str | os.PathLike, port: int = 0) -> str:
    """Serves the page of a run for as long as this process lives, and returns its address.

    Args:
        folder: the run folder; in a notebook it need not be there yet.
        port: of this machine; 0 for any that is free.

    Raises:
        OSError: the port is in use.
    """
    server = Server(folder, port)
    threading.Thread(target=server.serve_forever, name="watch", daemon=True).start()
    return server.address
