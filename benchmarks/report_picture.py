"""The pictures of a report and of the page where people grade, taken in the system's Chromium.

python -m benchmarks.report_picture reports/overeager-vs-base/report.html docs/images/report.png
python -m benchmarks.report_picture http://127.0.0.1:8000/r/SECRET docs/images/review.png
"""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path

SIZE = {"width": 1080, "height": 860}
COLOURS = 64


def main(page: str, picture: Path) -> None:
    """Write the top of the page as a picture of few colours, and print its size."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    browser_path = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=browser_path, args=["--no-sandbox", "--disable-gpu"]
        )
        shown = browser.new_page(viewport=SIZE, color_scheme="light")  # type: ignore[arg-type]
        shown.goto(page if "://" in page else Path(page).resolve().as_uri())
        taken = shown.screenshot()
        browser.close()
    image = Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    picture.parent.mkdir(parents=True, exist_ok=True)
    image.save(picture, optimize=True)
    print(f"{picture}: {picture.stat().st_size / 1024:.0f} KB")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m benchmarks.report_picture REPORT.html|ADDRESS PICTURE.png")
    main(sys.argv[1], Path(sys.argv[2]))
