"""A page in headless Chromium, served from this machine."""

import contextlib
import functools
import http.server
import shutil
import threading
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

_FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
)


def missing() -> str | None:
    """The reason why no browser can be started; None where one can."""
    if not _chromium() or not shutil.which("chromedriver"):
        return "needs Chromium and its chromedriver (Debian: chromium, chromium-driver)"
    return None


def _chromium():
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextlib.contextmanager
def served(folder):
    """Serves a folder: yields its address, and a list to which each request adds (path, status)."""
    requests = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_request(self, code="-", size="-"):
            requests.append((self.path, int(code)))

    handler = functools.partial(Handler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", requests
        finally:
            server.shutdown()


@contextlib.contextmanager
def chromium(downloads):
    """A browser of 1280 by 900 pixels that saves its downloads in a folder."""
    options = webdriver.ChromeOptions()
    options.binary_location = _chromium()
    for flag in _FLAGS.split():
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.set_window_size(1280, 900)
        yield driver
    finally:
        driver.quit()


def until(condition, seconds=30):
    """Calls `condition` until its result is true, and returns that result."""
    end = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"{condition} stayed {result!r} for {seconds} s")
        time.sleep(0.02)
    return result
