"""The live page of a run: what is served, what is refused, and the page in a browser."""

import http.client
import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import urllib.request

import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.helpers import ROOT, browser
from tests.helpers.small import replanned
from utils import runs
from utils.notebook import colab
from utils.watch import Server, watch
from utils.watch.__main__ import ssh_tunnel


@pytest.fixture
def server(folder):
    with Server(folder) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def ask(server, path, host=None, method="GET"):
    """The answer to a path, which is sent unchanged: status, headers and content."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", f"127.0.0.1:{server.server_port}" if host is None else host)
    connection.endheaders()
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, answer.headers, content


def test_only_the_page_the_state_and_the_pictures_of_this_run_are_served(server, folder, tmp_path):
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


def test_it_answers_only_to_the_names_of_this_machine(server, monkeypatch):
    port = server.server_port
    for host in (f"localhost:{port}", "localhost", "127.0.0.1:8000"):  # also through a tunnel
        assert ask(server, "/", host)[0] == 200
    for host in (f"evil.example:{port}", "", f"127.0.0.1.evil.example:{port}", "evil@localhost:8"):
        status, _, content = ask(server, "/state.json", host)
        assert status == 403 and b"tiny" not in content
    assert server.server_address[0] == "127.0.0.1"
    with socket.socket() as other, pytest.raises(OSError):
        other.settimeout(2)
        other.connect(("127.0.0.2", port))  # another address of this machine
    with pytest.raises(OSError, match=f"port {port}: .*; choose another --port"):
        Server("run", port)


def test_a_notebook_shows_the_page_in_a_cell_and_colab_through_its_proxy(
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_line_serves_until_it_is_interrupted(folder, number):
    line = [sys.executable, "-m", "utils.watch", str(folder)]
    process = subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    said = process.stdout.readline().decode()
    address = re.fullmatch(rf"{folder} is shown at (http://127.0.0.1:[0-9]+/) to this .*\n", said)[
        1
    ]
    assert json.load(urllib.request.urlopen(f"{address}state.json"))["run"] == "0001_tiny"
    process.send_signal(number)
    assert process.communicate(timeout=20) == (b"\n", b"") and process.returncode == 0


def test_an_ssh_session_is_told_how_to_reach_the_page(monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    monkeypatch.setattr("socket.gethostname", lambda: "lab7")
    assert ssh_tunnel(8123, "") == ""
    expected = "ssh -N -L 8123:127.0.0.1:8123 ada@"
    assert ssh_tunnel(8123, "10.0.0.9 51234 10.0.0.2 22") == f"{expected}10.0.0.2"
    assert ssh_tunnel(8123, "fe80::9 51234 fe80::2 22") == f"{expected}fe80::2"
    assert ssh_tunnel(8123, "1.2.3.4 5 6.7.8.9 2222").startswith("ssh -p 2222 -N -L")
    for nonsense in ("ssh", "a b $(reboot) 22", "1.2.3.4 5 6.7.8.9 port"):
        assert ssh_tunnel(8123, nonsense) == f"{expected}lab7"


@pytest.fixture
def page(server, folder, tmp_path):
    """A browser on the page of a run planned for 105 epochs, which has its first sample only."""
    if why := browser.missing():
        pytest.skip(why)
    replanned(folder, 105)
    for epoch in (2, 4):
        (folder / "images" / f"sample_{epoch}.png").rename(tmp_path / f"{epoch}.png")
    with browser.chromium(tmp_path) as driver:
        driver.get(server.address)
        yield driver


def shows(driver, epoch):
    code = "const i = document.getElementById('sample'); return i.complete && i.naturalWidth"
    source = driver.find_element(By.ID, "sample").get_attribute("src")
    return f"/sample_{epoch}.png?" in (source or "") and driver.execute_script(code) == 56


def text(driver, name):
    return driver.find_element(By.ID, name).text


def test_the_page_follows_the_run_and_goes_back(page, folder, tmp_path):
    assert Image.open(folder / "images" / "sample_0.png").width == 56
    browser.until(lambda: shows(page, 0))
    assert text(page, "state") == "Stopped" and text(page, "epochs") == "5 of 105"
    shutil.copy(tmp_path / "2.png", folder / "images" / "sample_2.png")
    with runs.locked(folder):
        browser.until(lambda: shows(page, 2))  # the newest one, by itself
        assert text(page, "state") == "Running" and text(page, "left") != "–"
    body = page.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.ARROW_LEFT)
    browser.until(lambda: shows(page, 0))
    (folder / "metrics.csv").write_text("epoch,swd\n0,9.5\n2,3.5\n4,8\n")
    assert page.find_element(By.ID, "real").size == page.find_element(By.ID, "sample").size
    assert not page.find_element(By.ID, "notice").is_displayed()
    with open(folder / "losses.csv", "a") as file:  # a critic that scores both alike
        file.writelines(f"{epoch},0,{epoch % 2},0,0,0\n" for epoch in range(5, 400))
    shutil.copy(tmp_path / "4.png", folder / "images" / "sample_4.png")
    # As if the page had been hidden: it asks at once instead of in 3 seconds.
    page.execute_script("document.dispatchEvent(new Event('visibilitychange'))")
    browser.until(lambda: text(page, "caption") == "Samples after epoch 0 (1 of 3)")
    assert shows(page, 0)
    assert text(page, "notice").startswith("Now the critic no longer tells real images from gen")
    row = page.find_elements(By.CSS_SELECTOR, "#scores tbody th, #scores tbody td")
    assert [cell.text for cell in row[:3]] == ["swd", "8", "3.5"]
    drawn = page.find_element(By.CSS_SELECTOR, "#scores svg")
    assert drawn.get_attribute("aria-label") == "swd from 9.5 at epoch 0 to 8 at epoch 4"
    body.send_keys("l")
    browser.until(lambda: shows(page, 4))
    page.find_element(By.ID, "slider").send_keys(Keys.ARROW_LEFT)
    browser.until(lambda: shows(page, 2))
    assert page.find_element(By.ID, "live").get_attribute("aria-pressed") == "false"
    check_access(page)


def test_the_page_of_a_shipped_run(folder, server, tmp_path):
    if why := browser.missing():
        pytest.skip(why)
    for name in ("losses.csv", "log.txt"):
        (folder / name).unlink()
    for name in ("images", "weights"):
        shutil.rmtree(folder / name)
    with browser.chromium(tmp_path) as driver:
        driver.get(server.address)
        browser.until(lambda: text(driver, "state").startswith("Finished and shipped"))
        assert text(driver, "epochs") == "5" and "came without samples" in text(driver, "caption")
        assert "without its log" in text(driver, "log")
        assert driver.find_element(By.ID, "progress").get_attribute("value") == "5"
        assert not driver.find_element(By.ID, "real-images").is_displayed()


def check_access(page):
    """Every control has a name, the page fits a phone, and the browser reports no error."""
    controls = page.find_elements(By.CSS_SELECTOR, "button, input, a, img, pre, progress")
    assert all(control.accessible_name for control in controls) and len(controls) == 12
    screen = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    assert page.execute_script("return document.documentElement.scrollWidth") == 360
    assert [e["message"] for e in page.get_log("browser") if e["level"] == "SEVERE"] == []
