"""The page, in a real browser: what is seen, that it lives, that nothing hostile runs, light and dark."""

import http.client
import json
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import pytest

from loom.contract import attributes as a
from loom.contract import metrics, scopes, spans
from loom.contract.metrics import event_bus
from loom.deploy.embedded.page.headers import HEADERS

# Types of conftest, which test modules cannot import.
Make = Any
Page = Any
Browser = Any

LIVE = "document.getElementById('connection').textContent === 'live'"
HOSTILE = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"

browsing = pytest.mark.smoke


def get(page: Page, path: str, host: str = "") -> tuple[int, dict[str, str], bytes]:
    address = urlsplit(page.url).netloc
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request("GET", path, headers={"Host": host or address})
    with connection.getresponse() as response:
        found = response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    connection.close()
    return found


def tell(page: Page, arrivals: list[Any]) -> None:
    for arrival in arrivals:
        page.live.take(arrival)


def test_programs_find_the_report_the_traces_and_one_trace_as_json(page: Page, make: Make) -> None:
    tell(page, make.whole_contract())
    status, _, body = get(page, "/api/report")
    report = json.loads(body)
    assert (status, report["good"], report["percent"], report["about"]["name"]) == (200, True, 100, "dev")
    assert {row["name"] for row in report["metrics"]} == {metric.name for metric in metrics.ALL}
    traces = json.loads(get(page, "/api/traces")[2])
    trace = json.loads(get(page, f"/api/traces/{traces[0]['trace_id']}")[2])
    assert len(trace["rows"]) == traces[0]["spans"] == len(spans.ALL)
    assert get(page, "/api/traces/nonsense")[0] == 404


@pytest.mark.parametrize("path", ["/", "/page.js", "/api/report", "/nothing"])
def test_every_answer_forbids_what_does_not_come_from_here(page: Page, path: str) -> None:
    _, headers, _ = get(page, path)
    assert {name: headers.get(name) for name in HEADERS} == HEADERS


def test_a_name_that_is_not_this_machines_gets_nothing(page: Page) -> None:
    assert get(page, "/api/report", host="evil.example")[0] == 400
    assert get(page, "/api/report", host="localhost:1")[0] == 200


@browsing
def test_the_page_says_how_to_begin_when_nothing_has_arrived(page: Page, browser: Browser) -> None:
    browser.visit(page.url)
    browser.wait(LIVE)
    text = browser.evaluate("document.body.innerText")
    assert "Nothing has arrived yet" in text
    assert "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4317" in text
    assert browser.console == []


@browsing
def test_the_page_shows_coverage_values_and_a_waterfall(page: Page, browser: Browser, make: Make) -> None:
    tell(page, make.whole_contract())
    browser.visit(page.url)
    browser.wait(f"{LIVE} && document.querySelectorAll('.waterfall tbody tr').length")
    shown = browser.evaluate(
        "[...document.querySelectorAll('details.scope')].map((each) => each.dataset.scope)"
    )
    assert shown[: len(scopes.ALL)] == list(scopes.ALL)
    browser.evaluate("document.getElementById('open-all').click()")
    text = browser.evaluate("document.getElementById('scopes').innerText")
    for expected in ("published_total", "backpressure", "execute_tool", "✓ complete"):
        assert expected in text
    assert browser.evaluate("document.querySelectorAll('.waterfall tbody tr').length") == len(spans.ALL)
    assert browser.evaluate("document.title").startswith("Loom telemetry · 100 %")
    assert browser.console == []


@browsing
def test_what_arrives_while_one_looks_is_seen_without_a_click(
    page: Page, browser: Browser, make: Make
) -> None:
    browser.visit(page.url)
    browser.wait(LIVE)
    assert "0 %" in browser.evaluate("document.title")
    tell(page, [make.metric(event_bus.PUBLISHED)])
    browser.wait("document.getElementById('summary').innerText.includes('1 of 43 seen')")
    tell(page, [make.metric(event_bus.PUBLISHED, unit="ms")])
    browser.wait("document.getElementById('problem-list').innerText.includes(\"its unit is 'ms'\")")
    assert browser.evaluate("document.title").startswith("(1) ")


@browsing
def test_an_address_with_a_trace_leads_to_it(page: Page, browser: Browser, make: Make) -> None:
    rich, poor = f"{1:032x}", f"{2:032x}"
    alone = make.span(spans.action_broker.INVOKE, 9, trace_id=poor, attributes={"delivered": 0, "ok": False})
    tell(page, [*make.whole_contract(), alone])
    shown = "document.querySelector('.waterfall caption').textContent"
    browser.visit(f"{page.url}#trace={poor}")
    browser.wait(f"{LIVE} && {shown}.includes('{poor}')")
    browser.wait("document.getElementById('traces').getBoundingClientRect().top < 900")
    browser.evaluate("document.querySelector('.waterfall button').click()")
    browser.wait("document.querySelector('.waterfall dl')")
    facts = browser.evaluate("document.querySelector('.waterfall dl').innerText")
    assert facts.splitlines()[-4:] == ["delivered", "0", "ok", "false"]
    browser.evaluate(f"location.hash = '#trace={rich}'")
    browser.wait(f"{shown}.includes('{rich}')")
    assert browser.console == []


@browsing
def test_attribute_values_are_shown_and_never_run(page: Page, browser: Browser, make: Make) -> None:
    span = make.span(spans.action_broker.INVOKE, 1, operation=HOSTILE, attributes={HOSTILE: HOSTILE})
    tell(
        page, [span, make.metric(event_bus.PUBLISHED, make.point(event_bus.PUBLISHED, **{HOSTILE: HOSTILE}))]
    )
    browser.visit(page.url)
    browser.wait(f"{LIVE} && document.querySelector('.waterfall button')")
    browser.evaluate("document.querySelector('.waterfall button').click()")
    browser.wait("document.querySelector('.waterfall dl')")
    assert HOSTILE in browser.evaluate("document.querySelector('.waterfall dl').textContent")
    assert HOSTILE in browser.evaluate("document.getElementById('problem-list').textContent")
    assert browser.evaluate("document.querySelectorAll('main img, main script').length") == 0
    assert "hacked" not in browser.evaluate("document.title")
    # Even what got into the page would not run: its policy forbids it.
    browser.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')"
    )
    browser.wait("document.querySelector('body > img').complete")
    assert browser.evaluate("window.ran") is None


@browsing
def test_everything_can_be_reached_and_used_with_the_keyboard(
    page: Page, browser: Browser, make: Make
) -> None:
    tell(page, make.whole_contract())
    browser.visit(page.url)
    browser.wait(f"{LIVE} && document.querySelector('.waterfall button')")
    browser.evaluate("document.querySelector('.waterfall button').focus()")
    for kind in ("keyDown", "keyUp"):
        browser.order(
            "Input.dispatchKeyEvent",
            type=kind,
            key="Enter",
            code="Enter",
            windowsVirtualKeyCode=13,
            text="\r",
        )
    browser.wait("document.querySelector('.waterfall dl')")
    assert browser.evaluate("document.activeElement.getAttribute('aria-expanded')") == "true"


@browsing
def test_the_page_has_landmarks_headings_in_order_and_a_name_for_every_control(
    page: Page, browser: Browser, make: Make
) -> None:
    tell(page, make.whole_contract())
    browser.visit(page.url)
    browser.wait(f"{LIVE} && document.querySelector('.waterfall button')")
    for landmark in ("header", "nav[aria-label]", "main", "footer"):
        assert browser.evaluate(f"document.querySelectorAll('{landmark}').length") == 1
    levels = browser.evaluate(
        "[...document.querySelectorAll('h1, h2, h3')].map((each) => Number(each.tagName[1]))"
    )
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert browser.evaluate(
        "[...document.querySelectorAll('table')].every((each) => each.caption && each.tHead)"
    )
    nodes = browser.order("Accessibility.getFullAXTree")["nodes"]
    controls = [
        node
        for node in nodes
        if node.get("role", {}).get("value") in {"button", "combobox", "searchbox", "link"}
    ]
    assert len(controls) > 20
    assert [node for node in controls if not node.get("name", {}).get("value")] == []


CONTRAST = """(() => {
  const channel = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = getComputedStyle(each).backgroundColor;
      if (colour.startsWith('rgb(')) return parse(colour);
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('body *')]
    .filter((each) => each.offsetParent)
    .filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((each) => {
      const [a, b] = [light(parse(getComputedStyle(each).color)), light(behind(each))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      return [ratio, each.textContent.slice(0, 40), each.className];
    })
    .filter(([ratio]) => ratio < 4.5);
})()"""


@browsing
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_in_light_and_dark(
    page: Page, browser: Browser, make: Make, scheme: str
) -> None:
    tell(page, make.whole_contract()[::3])
    failed = make.span(spans.action_broker.INVOKE, 900, status="ERROR", attributes={a.ERROR_TYPE.name: "x"})
    tell(page, [failed, make.metric(event_bus.PUBLISHED, unit="ms")])
    browser.visit(page.url, scheme)
    browser.wait(f"{LIVE} && document.querySelector('.waterfall button')")
    browser.evaluate("document.getElementById('open-all').click()")
    paper = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in paper[4:-1].split(","))
    assert brightness > 600 if scheme == "light" else brightness < 150
    assert browser.evaluate(CONTRAST) == []


@browsing
def test_a_page_whose_server_is_gone_says_so(page: Page, browser: Browser) -> None:
    browser.visit(page.url)
    browser.wait(LIVE)
    page.close()
    browser.wait("document.getElementById('connection').textContent.startsWith('not reachable')")
