"""Our pages beside those of other public sites, laid out by the code that these sites publish.

HELM publishes its front end in a package, GOV.UK its components; both are shown here from a folder
of the test cache, by the same browser and at the same widths as ours. HELM's pages get the figures
of the worked example in its own form, so that both say the same. The pictures are kept in
`var/beside/` for people to look at; what can be counted is counted.
"""

import gzip
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response, Route, sync_playwright

from bench.example import worked_example
from bench.others import GOVUK_VERSION, HELM_VERSION, PROJECTS, govuk_page, helm_pages, served
from bench.result import PROJECT, Figure, Result

PICTURES = PROJECT / "var" / "beside"
WIDTHS = (390, 1280)
SCHEMES = ("light", "dark")
NARROW = 360
SETTLED_MS = 2_500
"""How long a page may take to draw itself from its scripts before it is looked at."""
BROWSER = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
_BEHIND = """[document.documentElement, document.body]
    .map((each) => getComputedStyle(each).backgroundColor).join()"""
Address = str


@dataclass
class Found:
    """What was counted of one page."""

    kilobytes: float = 0.0
    """All answers of a first visit, each packed by gzip, as a server would send it at best."""
    words: int = 0
    words_without_scripts: int = 0
    sideways_px: int = 0
    """How much wider than a window of 360 px the page is."""
    axe_violations: int = 0
    other_hosts: list[str] = field(default_factory=list)
    has_dark: bool = False
    """Whether it is another page in a browser that asks for a dark one."""


def measure() -> Result:
    """Show each page at two widths in both schemes, count, and keep the pictures."""
    with tempfile.TemporaryDirectory(prefix="bench-beside-") as folder, _sites(folder) as pages:
        PICTURES.mkdir(parents=True, exist_ok=True)
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=[*BROWSER])
            found = {name: _looked_at(browser, name, at) for name, at in pages.items()}
            browser.close()
    ours = [each for name, each in found.items() if name.startswith("ours")]
    return Result(
        "beside",
        f"Our pages beside HELM's ({HELM_VERSION}) and GOV.UK's ({GOVUK_VERSION}), in one browser",
        [
            *(_told(name, each) for name, each in found.items()),
            Figure("our axe violations", sum(e.axe_violations for e in ours), "count", at_most=0),
            Figure("our pixels sideways", sum(e.sideways_px for e in ours), "count", at_most=0),
            Figure(
                "our requests elsewhere", sum(len(e.other_hosts) for e in ours), "count", at_most=0
            ),
        ],
        {"pages": {name: asdict(each) for name, each in found.items()}},
    )


def _told(name: str, found: Found) -> Figure:
    return Figure(f"a first visit, packed: {name}", found.kilobytes, "kB")


@contextmanager
def _sites(folder: str) -> Iterator[dict[str, Address]]:
    """Yield the addresses of all pages by name while their sites are up."""
    with worked_example(Path(folder) / "var") as example:
        ours = f"http://localhost:{example.port}"
        figures = httpx.get(f"{ours}/findings/overview.json", timeout=60).raise_for_status().json()
        helm_pages(Path(folder) / "helm", figures)
        govuk_page(Path(folder) / "govuk")
        with served(Path(folder) / "helm") as helm, served(Path(folder) / "govuk") as govuk:
            yield {
                "ours, home": f"{ours}/",
                "HELM, home": f"{helm}/#/",
                "ours, models and tasks": f"{ours}/findings/overview/",
                "HELM, leaderboard": f"{helm}/#/leaderboard",
                "ours, a decision": ours + example.path(r"/decisions/[^/]+/"),
                "GOV.UK, components": f"{govuk}/",
            }


def _looked_at(browser: Browser, name: str, address: Address) -> Found:
    found = Found()
    colours = {scheme: _pictured(browser, name, address, scheme) for scheme in SCHEMES}
    found.has_dark = colours["light"] != colours["dark"]
    with _page(browser, width=WIDTHS[-1]) as page:
        sizes: list[int] = []
        hosts: set[str] = set()
        page.on("response", lambda answer: sizes.append(_packed(answer)))
        page.on("request", lambda asked: hosts.add(asked.url.split("/")[2]))
        _open(page, address)
        found.kilobytes = round(sum(sizes) / 1000, 1)
        found.other_hosts = sorted(host for host in hosts if not host.startswith("localhost:"))
        found.words = _words(page)
        found.axe_violations = len(Axe().run(page).response["violations"])
    with _page(browser, width=NARROW) as page:
        _open(page, address)
        found.sideways_px = page.evaluate("document.documentElement.scrollWidth") - NARROW
    with _page(browser, width=WIDTHS[-1], java_script_enabled=False) as page:
        _open(page, address)
        found.words_without_scripts = _words(page)
    return found


def _pictured(browser: Browser, name: str, address: Address, scheme: str) -> str:
    """Keep the pictures of a page in one scheme; return the colour behind it."""
    colour = ""
    for width in WIDTHS:
        with _page(browser, width=width, color_scheme=scheme) as page:
            _open(page, address)
            file = f"{name.replace(', ', '-').replace(' ', '-')}-{width}-{scheme}.png"
            page.screenshot(path=PICTURES / file)
            colour = page.evaluate(_BEHIND)
    return colour


@contextmanager
def _page(browser: Browser, *, width: int, **options: Any) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    page = context.new_page()
    # HELM's pages ask their own site which projects there are; nothing leaves this machine.
    page.route("**/project_metadata.json", _projects)
    yield page
    context.close()


def _projects(route: Route) -> None:
    every = {"access-control-allow-origin": "*"}
    route.fulfill(status=200, content_type="application/json", headers=every, body=PROJECTS)


def _open(page: Page, address: Address) -> None:
    page.goto(address)
    page.wait_for_timeout(SETTLED_MS)


def _packed(answer: Response) -> int:
    if answer.status != 200:
        return 0
    body = answer.body()
    return min(len(body), len(gzip.compress(body)))


def _words(page: Page) -> int:
    # `noscript` speaks only of scripts; it is not what a reader came for.
    said = page.locator("body").inner_text() if page.locator("body").count() else ""
    return len(said.split())
