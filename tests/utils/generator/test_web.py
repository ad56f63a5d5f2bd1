"""The page in a real browser: what it draws, what it requests, how it is used."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.helpers import DATA, browser
from utils.drawing.latents import draw, principal_directions, seed_latents
from utils.drawing.walks import walk
from utils.generator.load import load_generator
from utils.generator.web import PAGE, find_runtime, write_site

GENERATOR = DATA / "lines64_best" / "generator.h5"


@pytest.fixture(scope="module")
def generator():
    return load_generator(GENERATOR)


@pytest.fixture(scope="module")
def page(generator, tmp_path_factory):
    """The site in a browser: the driver, the requested paths, the folder of downloads.

    Skips without Chromium, and where npm cannot download the package that the page draws with.
    """
    if reason := browser.missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("web")
    try:
        find_runtime(None)
    except OSError as error:
        pytest.skip(str(error))
    directions = principal_directions(generator)
    write_site(generator, folder / "site", "Lines & <b>colours</b>", directions)
    (folder / "downloads").mkdir()
    with (
        browser.served(folder / "site") as (address, requests),
        browser.chromium(folder / "downloads") as driver,
    ):
        driver.get(address)
        browser.until(lambda: pictures(driver))
        yield driver, requests, folder / "downloads"


def page_folder(page):
    return page[2].parent / "site"


def pictures(driver):
    return int(driver.execute_script("return canvas.dataset.pictures") or 0)


def pixels(driver):
    code = "return [...canvas.getContext('2d').getImageData(0, 0, 64, 64).data]"
    return np.array(driver.execute_script(code), int).reshape(64, 64, 4)[:, :, :3]


def wait_for_picture(driver, expected):
    """Waits until the picture is the expected one; levels may differ by 2 of 255."""
    browser.until(lambda: np.abs(pixels(driver) - expected).max() <= 2)


def caption(driver):
    return driver.find_element(By.ID, "status").text


def seed_picture(generator, seed):
    return draw(generator, seed_latents([seed], 100))[0]


def press(driver, key):
    driver.find_element(By.TAG_NAME, "body").send_keys(key)


def test_seed_7_is_what_generate_draws(page, generator):
    driver, _, _ = page
    assert np.abs(pixels(driver) - seed_picture(generator, 7)).max() <= 2
    assert driver.find_element(By.ID, "status").text == "Picture of seed 7"
    assert driver.find_element(By.ID, "engine").text in ("WebGPU", "WebAssembly")
    assert driver.find_element(By.TAG_NAME, "h1").text == "Lines & <b>colours</b>"


@pytest.fixture(params=["Chromium", "Node.js"])
def latents_by_page(request, tmp_path):
    """A function of (seeds, count) that calls the page's `latents.js`, in one of two programs."""
    give = "seeds.map((seed) => [...latents(BigInt(seed), count)])"

    def chromium(seeds, count):
        code = (
            "const [seeds, count, done] = arguments;"
            f"import('./latents.js').then(({{ latents }}) => done({give}))"
        )
        return driver.execute_async_script(code, seeds, count)

    def node(seeds, count):
        shutil.copy(PAGE / "latents.js", tmp_path / "latents.mjs")
        code = f"const seeds = {json.dumps(seeds)}, count = {count};"
        code += (
            f'import("./latents.mjs").then(({{ latents }}) => console.log(JSON.stringify({give})))'
        )
        command = [shutil.which("node"), "-e", code]
        return json.loads(subprocess.check_output(command, cwd=tmp_path, text=True))

    if request.param == "Chromium":
        driver, _, _ = request.getfixturevalue("page")
        return chromium
    if not shutil.which("node"):
        pytest.skip("needs Node.js")
    return node


def test_seeds_give_the_latents_of_numpy(latents_by_page):
    # Found by search: the last seeds draw values on the edges of the ziggurat's strips.
    seeds = [*range(400), 2**31, 2**32 - 1, 2**32, 2**53 + 1, 10**18 - 1]
    seeds += [85211, 146799, 324848, 944056]
    z = np.array(latents_by_page([str(seed) for seed in seeds], 500), np.float32)
    expected = seed_latents(seeds, 500)
    # Every branch of the algorithm is among them, the tail too, which begins at ±3.654.
    assert (np.abs(expected) > 3.6542).sum() >= 20
    tail = np.abs(expected) > 3.6541
    assert np.array_equal(z[~tail], expected[~tail])
    # In the tail numpy takes the C library's logarithm, which may round the last bit differently.
    assert np.abs(z[tail].view(np.int32) - expected[tail].view(np.int32)).max() <= 1


def test_a_walk_between_two_seeds_is_the_same_as_in_python(page):
    driver, _, _ = page
    code = (
        "const done = arguments[0]; import('./latents.js').then(({ latents, between }) => "
        "done([...between(latents(3n, 100), latents(8n, 100), 0.3)]))"
    )
    z = driver.execute_async_script(code)
    expected = walk(seed_latents([3, 8], 100), [0.3], easing="linear")[0]
    assert np.allclose(z, expected, atol=1e-6)


def test_the_mouse_and_the_keys(page, generator):
    driver, _, downloads = page
    box = driver.find_element(By.ID, "seed")
    box.clear()
    box.send_keys("12345678901234567")
    wait_for_picture(driver, seed_picture(generator, 12345678901234567))
    before = pictures(driver)
    box.send_keys("x")  # not a seed: the picture stays
    assert not driver.execute_script("return document.getElementById('seed').checkValidity()")
    box.clear()
    box.send_keys("20", Keys.TAB)
    wait_for_picture(driver, seed_picture(generator, 20))
    assert pictures(driver) > before
    driver.find_element(By.ID, "canvas").click()
    browser.until(
        lambda: "enlarged" in driver.find_element(By.ID, "picture").get_attribute("class")
    )
    assert driver.switch_to.active_element.accessible_name == "Back"
    press(driver, Keys.ESCAPE)
    assert driver.switch_to.active_element.get_attribute("id") == "enlarge"
    driver.execute_script("document.activeElement.blur()")
    for key, seed in ((Keys.ARROW_RIGHT, 21), (Keys.ARROW_LEFT, 20), (Keys.ARROW_LEFT, 19)):
        press(driver, key)
        wait_for_picture(driver, seed_picture(generator, seed))
    press(driver, "r")
    browser.until(lambda: driver.find_element(By.ID, "seed").get_attribute("value") != "19")
    seed = int(driver.find_element(By.ID, "seed").get_attribute("value"))
    wait_for_picture(driver, seed_picture(generator, seed))
    press(driver, "s")
    saved = browser.until(lambda: list(downloads.glob(f"seed_{seed}.png")))[0]
    wait_for_picture(driver, np.asarray(Image.open(saved).convert("RGB")))


def test_a_direction_moves_the_picture_and_reset_brings_it_back(page, generator):
    driver, _, _ = page
    driver.execute_script("document.activeElement.blur()")
    slider = driver.find_element(By.ID, "direction_2")
    slider.send_keys(Keys.PAGE_UP)
    amount = float(slider.get_attribute("value"))
    seed = int(driver.find_element(By.ID, "seed").get_attribute("value"))
    z = seed_latents([seed], 100) + np.float32(amount) * principal_directions(generator)[1]
    wait_for_picture(driver, draw(generator, z)[0])
    assert amount > 0 and "moved along directions" in driver.find_element(By.ID, "status").text
    driver.find_element(By.ID, "reset").click()
    wait_for_picture(driver, seed_picture(generator, seed))


def test_the_walk_plays_and_pauses(page):
    driver, _, _ = page
    play = driver.find_element(By.ID, "play")
    before = pictures(driver)
    play.click()
    browser.until(lambda: pictures(driver) > before + 3)
    assert play.get_attribute("aria-pressed") == "true" and play.text == "Pause"
    seed = driver.find_element(By.ID, "seed").get_attribute("value")
    walking = re.fullmatch(rf"Walk from seed {seed} to seed ([0-9]+)", caption(driver))
    assert walking and driver.find_element(By.ID, "canvas").accessible_name == walking[0]
    play.click()
    assert play.get_attribute("aria-pressed") == "false"
    between = rf"Between seed {seed} and seed {walking[1]}, after [0-9]+ % of the way"
    assert re.fullmatch(between, caption(driver))
    play.click()  # goes on to the same seed
    assert caption(driver) == walking[0]
    play.click()
    address = rf".*#seed={seed}&to={walking[1]}&share=0\.[0-9]{{4}}"
    browser.until(lambda: re.fullmatch(address, driver.current_url))


def test_the_address_is_a_link_to_the_picture(page, generator):
    driver, _, _ = page
    address = driver.current_url.partition("#")[0]
    directions = principal_directions(generator)
    for link, z, said in (
        ("#seed=12", seed_latents([12], 100), "Picture of seed 12"),
        (
            "#seed=12&direction_2=-1.5",
            seed_latents([12], 100) - np.float32(1.5) * directions[1],
            "Picture of seed 12, moved along directions",
        ),
        (
            "#seed=3&to=8&share=0.5",
            walk(seed_latents([3, 8], 100), [0.5]),
            "Between seed 3 and seed 8, after 50 % of the way",
        ),
        ("#seed=-1&to=8&share=2&direction_1=x&x=1", seed_latents([7], 100), "Picture of seed 7"),
    ):
        driver.get("about:blank")
        driver.get(address + link)
        browser.until(lambda: pictures(driver))
        wait_for_picture(driver, draw(generator, z)[0])
        assert caption(driver) == said
    driver.get(address + "#seed=20")  # in the page that is open
    wait_for_picture(driver, seed_picture(generator, 20))
    press(driver, Keys.ARROW_RIGHT)
    browser.until(lambda: driver.current_url == f"{address}#seed=21")
    slider = driver.find_element(By.ID, "direction_1")
    slider.send_keys(Keys.ARROW_RIGHT)
    browser.until(lambda: driver.current_url == f"{address}#seed=21&direction_1=0.1")
    driver.find_element(By.ID, "reset").click()
    browser.until(lambda: driver.current_url == f"{address}#seed=21")


def test_small_pictures_show_both_ends_of_a_slider(page, generator):
    driver, _, _ = page
    seed = int(driver.find_element(By.ID, "seed").get_attribute("value"))
    directions = principal_directions(generator)
    code = (
        "return [...document.getElementById(arguments[0]).parentElement.querySelectorAll('canvas')]"
        ".map((c) => [...c.getContext('2d').getImageData(0, 0, 64, 64).data])"
    )
    for k in (0, 7):
        z = seed_latents([seed], 100) + np.float32([[-4], [4]]) * directions[k]
        expected = draw(generator, z).astype(int)

        def shows(k=k, expected=expected):
            ends = np.array(driver.execute_script(code, f"direction_{k + 1}"))
            return np.abs(ends.reshape(2, 64, 64, 4)[..., :3] - expected).max() <= 2

        browser.until(shows)


def test_everything_fits_on_a_phone_and_every_control_has_a_name(page):
    driver, _, _ = page
    names = [
        control.accessible_name
        for control in driver.find_elements(By.CSS_SELECTOR, "button, input, select, #canvas")
        if control.is_displayed()
    ]
    assert all(names) and len(names) == len(set(names)) == 19
    screen = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    assert driver.execute_script("return document.documentElement.scrollWidth") == 360
    controls = "return [...document.querySelectorAll('form :is(button, input, select)')]"
    too_low = ".filter((control) => control.getBoundingClientRect().height < 44)"
    assert driver.execute_script(controls + too_low) == []
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


_LOST = """
export const env = { wasm: {} };
export class Tensor {}
let drawn = 0;
export const InferenceSession = { create: async () => ({
  run: async () => {
    drawn += 1;
    if (drawn > 1) throw new Error("the device was lost");
    return { images: { getData: async () => new Float32Array(64 * 64 * 3) } };
  },
}) };
"""


def test_the_page_goes_on_without_a_graphics_card_that_is_lost(page, generator, tmp_path):
    driver, _, _ = page
    address_before = driver.current_url
    broken = shutil.copytree(page_folder(page), tmp_path / "broken")
    worker = (broken / "worker.js").read_text()
    has_gpu = "{ value: { requestAdapter: async () => ({}) } }"
    worker = f"{worker}\nObject.defineProperty(navigator, 'gpu', {has_gpu});"
    (broken / "worker.js").write_text(worker)
    (broken / "runtime" / "ort.webgpu.min.mjs").write_text(_LOST)
    with browser.served(broken) as (address, requests):
        driver.get(address)
        browser.until(lambda: pictures(driver))
        wait_for_picture(driver, seed_picture(generator, 7))
        assert driver.find_element(By.ID, "engine").text == "WebAssembly"
        assert ("/runtime/ort.webgpu.min.mjs", 200) in requests
        (broken / "generator.onnx").unlink()
        driver.get(address)
        status = "return document.getElementById('status').textContent"
        browser.until(lambda: "generator.onnx: 404" in driver.execute_script(status))
        driver.get(address_before)
        driver.get_log("browser")  # drops the 404 from the log
        browser.until(lambda: pictures(driver))


def test_no_errors_and_nothing_from_elsewhere(page):
    """The last test: the log covers those before it, and a breach of the CSP is an error there."""
    driver, requests, _ = page
    assert [e["message"] for e in driver.get_log("browser") if e["level"] == "SEVERE"] == []
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    urls = [
        e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"
    ]
    here = ("http://127.0.0.1:", "data:", "blob:")
    assert (
        driver.current_url.partition("#")[0] in urls
        and [u for u in urls if not u.startswith(here)] == []
    )
    assert {code for _, code in requests} <= {200, 304}
    assert "/generator.onnx" in [path for path, _ in requests]
