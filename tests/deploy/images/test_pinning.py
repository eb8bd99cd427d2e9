"""Pins: read strictly, written whole, and rendered."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from loom.deploy import artifacts, plan, profile
from loom.deploy.images import FakeDaemon, Pin, Present, Wanted, inventory, lock, merged, wanted, write
from loom.deploy.profile.lockfile import Pins, parsed, place
from loom.deploy.programs import ALERTMANAGER, JAEGER, LOOM, PROMETHEUS
from loom.errors import EngineError, InputError, PlanError, ProfileError

REPOSITORY = Path(__file__).parents[3]
ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"
REGISTRY = "127.0.0.1:5001"


@pytest.fixture
def some(images: tuple[Wanted, ...]) -> tuple[Wanted, ...]:
    return tuple(one for one in images if one.service in {"jaeger", "prometheus", "loom"})


def rendered(pins: Pins) -> dict[str, str]:
    """Service → image in the compose file."""
    derived = plan.derive(profile.load("dev", (), REPOSITORY / "profiles"), pins)
    text = next(one.text for one in artifacts.render(derived) if one.path.startswith("docker-compose"))
    return {name: service["image"] for name, service in yaml.safe_load(text)["services"].items()}


def test_a_pinned_image_is_rendered_with_its_digest_and_the_others_as_before() -> None:
    before, after = rendered(Pins()), rendered(Pins("", {JAEGER.tagged: ONE}))
    assert after.pop("jaeger") == f"{JAEGER.tagged}@{ONE}"
    assert before.pop("jaeger") == JAEGER.tagged
    assert after == before


def test_images_of_a_registry_of_ones_own_are_rendered_with_it() -> None:
    images = rendered(Pins(REGISTRY, {PROMETHEUS.tagged: TWO}))
    assert images["prometheus"] == f"{REGISTRY}/{PROMETHEUS.tagged}@{TWO}"


def test_a_lock_file_of_other_versions_is_refused_with_what_to_do() -> None:
    with pytest.raises(PlanError, match=r"prom/prometheus:v1\.0\.0 is no image .*images lock again"):
        rendered(Pins("", {"prom/prometheus:v1.0.0": ONE}, "dev.images.lock"))


def test_pins_are_read_from_the_file_beside_the_profile(tmp_path: Path) -> None:
    source = tmp_path / "mine.yaml"
    source.write_text("name: mine\n")
    assert profile.pins(source) == Pins()
    file = tmp_path / "mine.images.lock"
    assert place(source) == file
    pins = Pins(REGISTRY, {PROMETHEUS.tagged: TWO, JAEGER.tagged: ONE})
    write(pins, file)
    assert profile.pins(source) == replace(pins, file=str(file))
    first = file.read_bytes()
    write(Pins(REGISTRY, {JAEGER.tagged: ONE, PROMETHEUS.tagged: TWO}), file)
    assert file.read_bytes() == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.images.lock", "mine.yaml"]
    assert file.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", r"lock:1.*images"),
        ("images: []\n", r"lock:1:9  \$\.images"),
        ("images:\n  a/b:1: sha256:12\n", r"lock:2:10 .*64 hexadecimal"),
        ("images:\n  a/b:1:\n    c: d\n", r"lock:3:5 .*64 hexadecimal"),
        ("registry: https://x/\nimages: {}\n", r"lock:1:11  \$\.registry: is not host:port"),
        ("images: {}\nother: 1\n", r"lock:2:8  \$\.other: is no key"),
        ("images: {a: [}\n", r"lock:1"),
    ],
)
def test_a_lock_file_that_is_wrong_says_where(text: str, problem: str) -> None:
    with pytest.raises(ProfileError, match=problem):
        parsed(text, "dev.images.lock")


def test_all_that_is_wrong_in_a_lock_file_is_said_at_once() -> None:
    with pytest.raises(ProfileError) as caught:
        parsed("registry: '!'\nimages:\n  a/b:1: x\n  c/d:1: y\n", "dev.images.lock")
    assert len(caught.value.problems) == 3


def test_pulled_images_are_pinned_by_the_digest_of_their_registry(some: tuple[Wanted, ...]) -> None:
    daemon = FakeDaemon(
        {JAEGER.tagged: Present("sha256:j", 1, {}, (f"other/name@{TWO}", f"{JAEGER.image}@{ONE}"))},
        {PROMETHEUS.tagged: Present("sha256:p", 1, {}, (f"{PROMETHEUS.image}@{TWO}",))},
    )
    assert lock(some, daemon) == Pins("", {JAEGER.tagged: ONE, PROMETHEUS.tagged: TWO})
    assert daemon.done == [f"pull {PROMETHEUS.tagged}"]


def test_an_image_that_was_built_here_has_no_digest_upstream(some: tuple[Wanted, ...]) -> None:
    built = Present("sha256:j", 1, {"dev.loom.deploy.image.source": "m@v1"})
    daemon = FakeDaemon({JAEGER.tagged: built})
    with pytest.raises(EngineError, match="was built here") as caught:
        lock(some, daemon)
    assert len(caught.value.problems) == 2  # Prometheus cannot be pulled either: both are said
    with pytest.raises(EngineError):
        lock(some, daemon, incomplete=True)  # nothing at all is no lock file


def test_images_of_this_machine_are_pushed_and_others_pulled(some: tuple[Wanted, ...]) -> None:
    daemon = FakeDaemon({JAEGER.tagged: Present("sha256:j", 1)})
    there = f"{REGISTRY}/{PROMETHEUS.tagged}"
    daemon.registry[there] = Present("sha256:p", 1, {}, (f"{REGISTRY}/{PROMETHEUS.image}@{TWO}",))
    pins = lock(some, daemon, REGISTRY)
    assert daemon.done == [f"push {REGISTRY}/{JAEGER.tagged}", f"pull {there}"]
    assert set(pins.digests) == {JAEGER.tagged, PROMETHEUS.tagged}
    assert LOOM.tagged not in pins.digests


def test_two_digests_of_one_registry_are_not_guessed_between(some: tuple[Wanted, ...]) -> None:
    twice = Present("sha256:j", 1, {}, (f"{JAEGER.image}@{ONE}", f"{JAEGER.image}@{TWO}"))
    with pytest.raises(EngineError, match="2 digests"):
        lock(tuple(one for one in some if one.service == "jaeger"), FakeDaemon({JAEGER.tagged: twice}))


def test_pins_of_other_services_stay_and_of_another_registry_are_refused() -> None:
    current = Pins("", {JAEGER.tagged: ONE}, "file")
    assert merged(current, Pins("", {PROMETHEUS.tagged: TWO})).digests == {
        JAEGER.tagged: ONE,
        PROMETHEUS.tagged: TWO,
    }
    assert merged(current, Pins(REGISTRY, {JAEGER.tagged: TWO})).registry == REGISTRY
    with pytest.raises(InputError, match="two registries"):
        merged(current, Pins(REGISTRY, {PROMETHEUS.tagged: TWO}))


def test_the_list_says_whether_the_pinned_image_is_the_one_that_is_here() -> None:
    pins = Pins("", {JAEGER.tagged: ONE, ALERTMANAGER.tagged: TWO})
    derived = plan.derive(profile.load("dev", (), REPOSITORY / "profiles"), pins)
    daemon = FakeDaemon(
        {f"{JAEGER.tagged}@{ONE}": Present("sha256:j", 1), ALERTMANAGER.tagged: Present("sha256:a", 1)}
    )
    rows = {row.service: row for row in inventory(wanted(derived), daemon)}
    assert (rows["jaeger"].pin, rows["alertmanager"].pin) == (Pin.HERE, Pin.ABSENT)
    assert rows["alertmanager"].id == "sha256:a"
    assert rows["prometheus"].pin is Pin.NONE
