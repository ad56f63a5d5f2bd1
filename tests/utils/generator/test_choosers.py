"""The page of a generator with categorical latents: the numbers of Python, sliders that choose."""

import json
import shutil
import subprocess

import keras
import numpy as np
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.helpers import browser
from tests.helpers.tables import line_generator, line_picture, masked
from utils.drawing.latents import draw, latent_groups, principal_directions, seed_latents
from utils.drawing.walks import walk
from utils.generator.web import PAGE, find_runtime, write_site

MASK = [[0.0] * 8, [0.0] * 3 + [-1e9] + [0.0] * 4, [-1e9] + [0.0] * 7]


def by_page(folder, call, groups, **values):
    """What `groups.js` gives in Node.js for a call with `groups` and other values."""
    if not shutil.which("node"):
        pytest.skip("needs Node.js")
    shutil.copy(PAGE / "groups.js", folder / "groups.mjs")
    values["groups"] = {"scale": groups.scale, "offsets": groups.offsets.tolist()}
    for name, value in values.items():
        values[name] = value.tolist() if isinstance(value, np.ndarray) else value
    code = "".join(f"const {name} = {json.dumps(value)};" for name, value in values.items())
    code += f'import("./groups.mjs").then((page) => console.log(JSON.stringify({call})))'
    done = subprocess.check_output(["node", "-e", code], cwd=folder, text=True)
    return np.array(json.loads(done))


def test_the_page_chooses_and_holds_as_python_does(tmp_path):
    groups = latent_groups(masked(line_generator(), MASK))
    z = seed_latents(list(range(20)), 24)
    page = by_page(tmp_path, "z.map((row) => page.chosen(groups, row))", groups, z=z)
    assert np.array_equal(page, groups.chosen(z))
    page = by_page(tmp_path, "[0, 1, 2].map((g) => page.allowed(groups, g).length)", groups)
    assert page.tolist() == [8, 7, 7]
    choice = np.full((20, 3), 5)
    for name, expected in (("hold", groups.hold(z, choice)), ("choose", groups.choose(z, choice))):
        call = f"z.map((row, i) => [...page.{name}(groups, Float32Array.from(row), choice[i])])"
        page = by_page(tmp_path, call, groups, z=z, choice=choice)
        assert np.allclose(page, expected, atol=1e-6)


def test_directions_leave_out_what_variants_change():
    """The first layer adds −2, 1 and 0.5 times three latents, and random numbers for variants."""
    z = keras.Input((8,))
    sharp = keras.layers.Rescaling(1e4)(keras.layers.Reshape((2, 4))(z))
    one_hot = keras.layers.Flatten()(keras.layers.Softmax()(sharp))
    dense = keras.layers.Dense(3 * 16)
    both = dense(keras.layers.Concatenate()([one_hot, z]))
    generator = keras.Model(z, keras.layers.Reshape((4, 4, 3))(both))
    kernel = np.zeros((16, 48))
    kernel[:8] = 2 * np.random.default_rng(0).standard_normal((8, 48))
    kernel[[9, 12, 15], [0, 1, 2]] = 1, -2, 0.5
    dense.kernel.assign(kernel)
    expected = np.eye(8)[[4, 1, 7]]
    assert np.allclose(principal_directions(generator, 3), expected, atol=1e-2)


def test_the_pages_walk_is_that_of_python(tmp_path):
    groups = latent_groups(masked(line_generator(), MASK))
    z, times = seed_latents([3, 8], 24), np.linspace(0, 1, 61)
    old, new = groups.chosen(z)
    base = walk(z, times, easing="linear")
    call = "times.map((t, i) => [...page.fade(groups, Float32Array.from(z[i]), old, next, t)])"
    values = {"z": base, "times": times, "old": old, "next": new}
    page = by_page(tmp_path, call, groups, **values)

    def shares(latents):
        levels = groups.levels(latents.astype(np.float32))
        logits = groups.scale * (levels - levels.max(2, keepdims=True))
        return np.exp(logits) / np.exp(logits).sum(2, keepdims=True)

    # Python's path below the choices is eased, which changes no share.
    assert np.allclose(shares(page), shares(walk(z, times, groups=groups)), atol=5e-3)


@pytest.fixture
def driver(tmp_path):
    """The page of a masked generator in a browser."""
    if reason := browser.missing():
        pytest.skip(reason)
    try:
        find_runtime(None)
    except OSError as error:
        pytest.skip(str(error))
    generator = masked(line_generator(), MASK)
    directions = principal_directions(generator)
    assert directions.shape == (0, 24)
    site = tmp_path / "site"
    write_site(generator, site, "Lines", directions, groups=latent_groups(generator))
    with browser.served(site) as (address, _), browser.chromium(tmp_path) as driver:
        driver.get(address)
        browser.until(lambda: driver.execute_script("return canvas.dataset.pictures"))
        yield driver


def test_a_slider_for_each_group_goes_through_its_variants(driver):
    generator = masked(line_generator(), MASK)
    z = seed_latents([7], 24)
    (choice,) = latent_groups(generator).chosen(z)

    def shows(expected):
        code = "return [...canvas.getContext('2d').getImageData(0, 0, 8, 8).data]"
        drawn = np.array(driver.execute_script(code)).reshape(8, 8, 4)[:, :, :3]
        return np.abs(drawn - expected.astype(int)).max() <= 2

    browser.until(lambda: shows(draw(generator, z)[0]))
    sliders = driver.find_elements(By.CSS_SELECTOR, "#directions input")
    assert [slider.get_attribute("max") for slider in sliders] == ["8", "7", "7"]
    assert [slider.accessible_name for slider in sliders] == ["group 1", "group 2", "group 3"]
    sliders[0].send_keys(Keys.HOME)
    sliders[1].send_keys(Keys.HOME, *[Keys.ARROW_RIGHT] * 3)  # of 0, 1, 2, 4 …: row 3 is masked
    browser.until(lambda: shows(line_picture([0, 4, choice[2]])))
    assert "with other variants" in driver.find_element(By.ID, "status").text
    driver.find_element(By.ID, "reset").click()
    browser.until(lambda: shows(line_picture(choice)))
    assert driver.find_element(By.ID, "status").text == "Picture of seed 7"
    assert [e["message"] for e in driver.get_log("browser") if e["level"] == "SEVERE"] == []
