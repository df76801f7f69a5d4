"""Learning in a real Chromium: from noise to a model, back to the noise, and the ways it can go wrong."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, expect

from tests.browser import serve
from tests.visitor import Visitor, browser, phone, server, visitor

pytestmark = pytest.mark.journey
__all__ = ["browser", "phone", "server", "visitor"]  # fixtures


def train(someone: Visitor) -> None:
    someone.press("Train")
    expect(someone.page.get_by_text(re.compile(r"Done after \d+ epochs"))).to_be_visible()


def picture(page: Page, epoch: int) -> np.ndarray:
    """The weights' picture after an epoch, as the browser has it (28, 28, 3)."""
    shown = page.get_by_role("img", name=re.compile(f"The 784 weights after epoch {epoch},"))
    expect(shown).to_be_visible()
    source = str(shown.get_attribute("src"))
    content = base64.b64decode(source.partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB")).astype(float)


def roughness(pixels: np.ndarray) -> float:
    """How much neighbours differ, over how much any two pixels do: 1 for noise, less for a picture."""
    signed = pixels[..., 2] - pixels[..., 0]  # purple against orange
    steps = np.abs(np.diff(signed, axis=1)).mean()
    mixed = np.random.default_rng(0).permutation(signed.ravel())
    return float(steps / np.abs(np.diff(mixed)).mean())


def to_epoch(page: Page, epoch: int) -> None:
    """By the keyboard: Home is the start, each arrow an epoch."""
    thumb = page.get_by_role("slider").nth(1)
    thumb.press("Home")
    expect(page.get_by_text(re.compile("Epoch shown: 0 of"))).to_be_visible()
    for _ in range(epoch):
        thumb.press("ArrowRight")
    expect(page.get_by_text(re.compile(f"Epoch shown: {epoch} of"))).to_be_visible()


def test_a_training_forms_the_weights_and_the_scrubber_leads_back_to_the_noise(visitor: Visitor) -> None:
    visitor.open("/learn")
    train(visitor)
    page = visitor.page
    last = picture(page, 20)
    page.wait_for_timeout(1000)
    assert "epoch=" not in page.url.partition("?")[2].replace("epochs=", "")  # the newest, still
    to_epoch(page, 1)
    first = picture(page, 1)
    assert not np.array_equal(first, last)
    assert roughness(first) > 0.75
    assert roughness(last) < roughness(first) - 0.1
    page.wait_for_url(re.compile("epoch=1"))
    page.reload()  # the link trains it again
    expect(page.get_by_text("Done after 20 epochs")).to_be_visible()  # the scale is that of all epochs
    np.testing.assert_array_equal(picture(page, 1), first)
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.get_by_role("link", name="Learn").click()
    np.testing.assert_array_equal(picture(page, 1), first)


def test_it_can_be_stopped_gone_back_and_gone_on_with(visitor: Visitor) -> None:
    visitor.open("/learn?epochs=100")
    page = visitor.page
    visitor.press("Train")
    expect(page.get_by_text(re.compile(r"Epoch [3-9] of 100"))).to_be_visible()
    visitor.press("Stop")
    done = page.get_by_text(re.compile(r"Done after \d+ epochs"))
    expect(done).to_be_visible()
    reached = int(re.findall(r"\d+", done.inner_text())[0])
    assert 3 <= reached < 100
    to_epoch(page, 2)
    visitor.press("Go on from epoch 2")
    expect(page.get_by_text(re.compile(r"Epoch ([3-9]|\d\d) of 100"))).to_be_visible()  # it has gone on
    visitor.press("Stop")
    expect(done).to_be_visible()
    page.go_back()  # to the link of the training that was to go on to 100
    expect(page.get_by_text(re.compile(r"Epoch \d+ of 100|Done after 100 epochs"))).to_be_visible()


def test_on_a_phone_the_picture_and_what_starts_it_are_on_the_first_screen(phone: Visitor) -> None:
    phone.open("/learn")
    start = phone.page.get_by_role("button", name="Train", exact=True).last
    expect(start).to_be_visible()
    picture = phone.page.get_by_role("img", name="No weights yet")
    expect(picture).to_be_visible()
    above, below = picture.bounding_box(), start.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] < below["y"]
    assert below["y"] + below["height"] < 844


def test_a_rate_of_1000_ends_in_a_sentence(visitor: Visitor) -> None:
    visitor.open("/learn?rate=1000&epochs=5")
    visitor.press("Train")
    expect(visitor.page.get_by_text("The rate of 1000 is too high: lower it.")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Train", exact=True)).to_be_visible()
    assert visitor.page.locator('[data-testid="stException"]').count() == 0


def test_a_class_without_digits_ends_in_a_sentence(visitor: Visitor) -> None:
    visitor.open("/learn")
    visitor.press("More")
    visitor.page.get_by_role("combobox", name=re.compile("How many 7s")).click()
    visitor.page.get_by_role("option", name="0", exact=True).click()
    visitor.page.wait_for_url(re.compile("sevens=0"))
    visitor.page.keyboard.press("Escape")
    visitor.press("Train")
    expect(visitor.page.get_by_text(re.compile("There is no 7 among the digits"))).to_be_visible()
    assert visitor.page.locator('[data-testid="stException"]').count() == 0


def test_a_training_ends_when_its_visitor_leaves_and_blocks_nobody(browser: Browser, tmp_path: Path) -> None:
    """Four leave in the midst of theirs; a fifth, who had to wait, is then let in."""
    with serve(tmp_path / "log") as server:
        pages = [browser.new_page() for _ in range(5)]
        someone = [Visitor(page, server.url) for page in pages]
        fifth = someone[4]
        for one in someone:
            one.open(f"/learn?epochs={5 if one is fifth else 100}")
        for one in someone:
            expect(one.page.get_by_role("button", name="Train", exact=True).first).to_be_visible()
        for one in someone[:4]:  # one right after the other: an epoch takes no less than 0.2 s
            one.press("Train")
        for one in someone[:4]:
            expect(one.page.get_by_text(re.compile(r"Epoch \d+ of 100"))).to_be_visible()
        fifth.press("Train")
        refusal = fifth.page.get_by_text(re.compile("4 visitors are training at the moment"))
        expect(refusal.or_(fifth.page.get_by_text(re.compile("Done after")))).to_be_visible()
        for page in pages[:4]:
            page.close()
        fifth.page.wait_for_timeout(3000)
        train(fifth)
        fifth.page.close()
        assert all(one.complaints == [] for one in someone)


def picture_of_a_seven() -> bytes:
    paper = Image.new("RGB", (300, 300), "white")
    ImageDraw.Draw(paper).line([(90, 70), (210, 70), (140, 230)], fill="black", width=16, joint="curve")
    content = io.BytesIO()
    paper.save(content, "PNG")
    return content.getvalue()


def test_many_pictures_become_a_table_and_a_csv(visitor: Visitor) -> None:
    visitor.open("/learn?tab=many&pictures=files")
    page = visitor.page
    page.locator("input[type=file]").set_input_files(
        [
            {"name": "seven.png", "mimeType": "image/png", "buffer": picture_of_a_seven()},
            {"name": "broken.png", "mimeType": "image/png", "buffer": b"no picture"},
        ]
    )
    row = page.locator("table.many tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("seven.png")
    expect(row.locator("b")).to_have_text("7")
    expect(page.get_by_text(re.compile(r"broken\.png: not an image"))).to_be_visible()
    with page.expect_download() as download:
        visitor.press("CSV")
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0].startswith("file,digit,confidence,verdict,unusualness,p0,")
    assert lines[1].startswith("seven.png,7,")


@pytest.mark.parametrize("tab", ["train", "digit", "parabola", "torch", "many"])
def test_no_tab_scrolls_sideways_on_a_phone(phone: Visitor, tab: str) -> None:
    phone.open(f"/learn?tab={tab}&model=linear")
    expect(phone.page.get_by_role("heading", name="Learn")).to_be_visible()
    phone.page.wait_for_timeout(1500)
    assert phone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert phone.page.evaluate("[...document.images].every(image => image.alt)")
