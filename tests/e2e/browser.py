"""A page in the system's Chromium, watched for what it should not do."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from harness.records.verdict import Decision
from tests.report.measured import Kind

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DECISIONS: tuple[Decision, ...] = ("PROMOTE", "BLOCK", "INCONCLUSIVE", "INVALID")
KINDS: tuple[Kind, ...] = ("pass", "fail", "inconclusive", "invalid")
PHONE: dict[str, Any] = {
    "viewport": {"width": 375, "height": 800},
    "is_mobile": True,
    "has_touch": True,
}


@dataclass
class Watched:
    """A page, and everything it did that it should not have done."""

    page: Page
    noise: list[str] = field(default_factory=list)

    def open(self, path: Path, fragment: str = "") -> Page:
        self.page.on("console", lambda message: self.noise.append(f"console: {message.text}"))
        self.page.on("pageerror", lambda error: self.noise.append(f"error: {error}"))
        self.page.on("dialog", lambda dialog: self.noise.append(f"dialog: {dialog.message}"))
        self.page.on("request", lambda request: self._request(request.url, path))
        self.page.goto(path.as_uri() + fragment)
        return self.page

    def _request(self, url: str, path: Path) -> None:
        if not (url.startswith((path.as_uri(), "data:,"))):
            self.noise.append(f"request: {url[:200]}")


# The ratio of WCAG 2.2, 1.4.3, of each element with text of its own to the nearest plain ground.
CONTRAST = """() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = (c) => { const [r, g, b] = c.slice(0, 3).map(v => { v /= 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const found = [];
  for (const item of document.querySelectorAll('body *')) {
    if (!item.checkVisibility() || ['SCRIPT', 'OPTION'].includes(item.tagName)) continue;
    if (![...item.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())) continue;
    if (item.matches('title, desc, .skip')) continue;
    const style = getComputedStyle(item);
    const ink = parse(item instanceof SVGElement ? style.fill : style.color);
    let place = item, ground = [0, 0, 0, 0];
    while (place) {
      const own = parse(getComputedStyle(place).backgroundColor);
      if (own.length === 3 || own[3] === 1) { ground = own; break; }
      place = place.parentElement;
    }
    const [a, b] = [light(ink), light(ground)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${item.tagName}.${item.className.baseVal ?? item.className} ` +
      `${ratio.toFixed(2)} ${item.textContent.slice(0, 40)}`);
  }
  return found;
}"""
