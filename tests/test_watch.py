"""The page of a run: its state, what it serves and what it refuses, and the page in a browser."""

import http.client
import json
import os
import shutil
import socket
import threading
import time
import urllib.request

import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests import browser
from utils import colab, run_state, runs
from utils.watch import Server, snapshot, watch


@pytest.fixture
def folder(run, tmp_path):
    """A copy of the run of five epochs, sampled after epochs 0, 2 and 4, with times made up."""
    folder = tmp_path / "0001_tiny"
    shutil.copytree(run[1], folder)
    began = time.time() - 1000
    for name, after in {
        "params.json": 0,
        "images/sample_0.png": 50,
        "images/sample_2.png": 54,
        "images/sample_4.png": 58,
        "losses.csv": 58,
    }.items():
        os.utime(folder / name, (began + after,) * 2)
    return folder


def replanned(folder, epochs):
    """As if the run had been planned for so many epochs."""
    content = json.loads((folder / "params.json").read_text())
    content["training"]["epochs"] = epochs
    before = (folder / "params.json").stat().st_mtime
    (folder / "params.json").write_text(json.dumps(content))
    os.utime(folder / "params.json", (before, before))


def test_the_state_of_a_finished_run(folder):
    (folder / "metrics.csv").write_text("epoch,swd\n0,9.5\n2,3.5\n4,nan\n")
    state = snapshot(folder)
    assert (state["run"], state["data"], state["state"]) == ("0001_tiny", "tiny.zip", "finished")
    assert (state["epochs"], state["planned"], state["samples"]) == (5, 5, [0, 2, 4])
    # Epochs 1 to 5 took 8 seconds: 2 each, for 2 batches of 4.
    assert state["images_per_second"] == pytest.approx(4)
    assert state["seconds_left"] is None and state["age"] == pytest.approx(942, abs=60)
    assert state["scores"][1:] == [{"epoch": 2, "swd": 3.5}, {"epoch": 4, "swd": None}]
    assert state["best"] == 2
    log = (folder / "log.txt").read_text().splitlines()
    assert state["log"] == log and len(log) == 5


def test_a_run_that_goes_on_is_told_by_its_lock_or_a_new_epoch(folder):
    replanned(folder, 105)
    assert snapshot(folder)["state"] == "stopped"
    with runs.locked(folder):
        state = snapshot(folder)
        assert state["state"] == "running" and state["seconds_left"] == pytest.approx(200)
    (folder / ".lock").unlink()
    os.utime(folder / "losses.csv")
    assert snapshot(folder)["state"] == "stopped"  # epoch 5 was the last, and is saved
    (folder / "weights" / "checkpoint_5.h5").unlink()
    assert snapshot(folder)["state"] == "running" and not (folder / ".lock").exists()


def test_the_break_between_two_sessions_does_not_count(folder):
    replanned(folder, 105)
    began = time.time() - 100
    os.utime(folder / "weights" / "checkpoint_5.h5", (began - 500,) * 2)
    os.utime(folder / "params.json", (began,) * 2)
    assert run_state.seconds_per_epoch(folder) is None
    with open(folder / "losses.csv", "a") as file:
        file.write("".join(f"{epoch},1,1,1,1,1\n" for epoch in range(5, 15)) + "15,1")
    os.utime(folder / "losses.csv", (began + 30,) * 2)
    assert run_state.epochs_done(folder) == 15  # and half a line
    assert run_state.seconds_per_epoch(folder) == pytest.approx(3)


def test_before_the_first_epoch_and_where_all_is_damaged(tmp_path):
    empty = snapshot(tmp_path / "nothing")
    assert empty["state"] == "waiting" and empty["samples"] == empty["log"] == []
    folder = runs.make_run_folder(tmp_path / "run")
    (folder / "params.json").write_text('{"model": [], "training": {"epochs": "9", "data": 3}}')
    state = snapshot(folder)
    assert state["state"] == "running" and state["planned"] is None and state["epochs"] == 0
    for name in ("params.json", "losses.csv", "metrics.csv", "log.txt"):
        (folder / name).write_bytes(b"\xff\x00,{\n" * 3)
    (folder / "images" / "sample_x.png").touch()
    assert snapshot(folder)["samples"] == [] and snapshot(folder)["planned"] is None


def test_the_best_score_is_by_the_judges_own_rule():
    from lines.judge import LineJudge
    from utils.similarity import ImageJudge

    lines = {"validity": 0.5, "structure": 0.25, "residual_median": 3.0, "swd": 1.0}
    assert run_state.rank(lines) == LineJudge.rank(lines) == (0.5, 0.25, -3)
    images = {"swd": 7.0, "duplicates": 0.0}
    assert run_state.rank(images) == ImageJudge.rank(images) == (-7,)
    rows = [{"epoch": e, "swd": swd} for e, swd in enumerate((5, 2, 2, 3))]
    assert run_state.best(rows) == rows[1]  # of equals the first, which was kept
    assert run_state.best([]) is None and run_state.best([{"epoch": 0, "own": 1.0}]) is None


@pytest.fixture
def server(folder):
    with Server(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def ask(server, path, host=None, method="GET"):
    """Status, headers and content, of a path that is sent as it stands."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or f"127.0.0.1:{server.server_port}")
    connection.endheaders()
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.headers, content


def test_the_page_the_state_and_the_pictures_of_this_run_alone(server, folder, tmp_path):
    status, headers, content = ask(server, "/images/sample_2.png?v=1")
    assert status == 200 and content == (folder / "images" / "sample_2.png").read_bytes()
    assert headers["Cache-Control"] == "no-store" and headers["Content-Type"] == "image/png"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert json.loads(ask(server, "/state.json")[2])["epochs"] == 5
    for path in ("/", "/app.js", "/chart.js", "/style.css", "/images/converge.png"):
        assert ask(server, path)[0] == 200, path
    assert ask(server, "/", method="POST")[0] == 501
    (folder / "images" / "other.png").write_bytes(content)
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "images" / "sample_7.png").symlink_to(tmp_path / "secret.txt")
    for path in (
        "/images/../params.json",
        "/../../secret.txt",
        "/images/..%2f..%2fsecret.txt",
        "/images/other.png",
        "/images/sample_7.png",
        "/images/sample_9.png",
        "/images/sample_2.png/",
        "/params.json",
        "/images",
        "//etc/passwd",
    ):
        assert ask(server, path)[0] == 404, path


def test_it_answers_to_the_names_of_this_machine_alone(server, monkeypatch):
    port = server.server_port
    assert ask(server, "/", f"localhost:{port}")[0] == 200
    for host in (f"evil.example:{port}", "127.0.0.1", f"127.0.0.1.evil.example:{port}"):
        status, _, content = ask(server, "/state.json", host)
        assert status == 403 and b"tiny" not in content
    assert server.server_address[0] == "127.0.0.1"
    with socket.socket() as other, pytest.raises(OSError):
        other.settimeout(2)
        other.connect(("127.0.0.2", port))  # another address of this machine
    with pytest.raises(OSError, match=f"port {port}: .*; choose another --port"):
        Server("run", port)


def test_a_notebook_shows_it_in_a_cell_and_colab_through_its_proxy(
    folder, colab_session, monkeypatch
):
    address = watch(folder)
    port = int(address.rsplit(":")[-1].strip("/"))
    colab.show_page(address)
    assert colab_session[1]() == [["iframe", port, "/", "100%", "900"]]
    foreign = urllib.request.Request(address, headers={"Host": "8000-m-s.prod.colab.dev"})
    assert urllib.request.urlopen(foreign).status == 200
    shown = []
    monkeypatch.setattr(colab, "_service", lambda name: None)
    monkeypatch.setattr("IPython.display.display", shown.append)
    colab.show_page(address)
    assert shown[0].src == address
    assert next(t for t in threading.enumerate() if t.name == "watch").daemon


def test_the_page_follows_the_run(server, folder, tmp_path):
    if why := browser.missing():
        pytest.skip(why)
    replanned(folder, 105)
    for epoch in (2, 4):
        (folder / "images" / f"sample_{epoch}.png").rename(tmp_path / f"{epoch}.png")
    with browser.chromium(tmp_path) as driver:
        driver.get(server.address)

        def shows(epoch):
            code = "const i = document.getElementById('sample'); return i.complete && "
            code += "[i.getAttribute('src'), i.naturalWidth]"
            found = driver.execute_script(code)
            return found and f"/sample_{epoch}.png?" in found[0] and found[1] == 56

        def text(name):
            return driver.find_element(By.ID, name).text

        def press(key):
            driver.find_element(By.TAG_NAME, "body").send_keys(key)

        assert Image.open(folder / "images" / "sample_0.png").width == 56
        browser.until(lambda: shows(0))
        assert text("state") == "Stopped" and text("epochs") == "5 of 105"
        shutil.copy(tmp_path / "2.png", folder / "images" / "sample_2.png")
        with runs.locked(folder):
            browser.until(lambda: shows(2))  # the newest, without a hand moved
            assert text("state") == "Running" and text("left") != "–"
        press(Keys.ARROW_LEFT)
        browser.until(lambda: shows(0))
        (folder / "metrics.csv").write_text("epoch,swd\n0,9.5\n2,3.5\n4,8\n")
        shutil.copy(tmp_path / "4.png", folder / "images" / "sample_4.png")
        # As one that was hidden and is seen again, the page does not wait for its next turn.
        driver.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
        browser.until(lambda: text("caption") == "Samples after epoch 0 (1 of 3)")
        row = driver.find_element(By.CSS_SELECTOR, "#scores tbody tr")
        cells = row.find_elements(By.CSS_SELECTOR, "th, td")
        assert [cell.text for cell in cells[:3]] == ["swd", "8", "3.5"] and shows(0)
        words = "swd from 9.5 at epoch 0 to 8 at epoch 4"
        assert row.find_element(By.TAG_NAME, "svg").get_attribute("aria-label") == words
        press("l")
        browser.until(lambda: shows(4))
        driver.find_element(By.ID, "slider").send_keys(Keys.ARROW_LEFT)
        browser.until(lambda: shows(2))
        assert driver.find_element(By.ID, "live").get_attribute("aria-pressed") == "false"
        controls = driver.find_elements(By.CSS_SELECTOR, "button, input, a, img, pre, progress")
        assert all(control.accessible_name for control in controls) and len(controls) == 10
        screen = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        assert driver.execute_script("return document.documentElement.scrollWidth") == 360
        assert [e["message"] for e in driver.get_log("browser") if e["level"] == "SEVERE"] == []
