"""Properties of the comparison: whatever lies on disk, nobody's work is lost."""

from hypothesis import given
from hypothesis import strategies as st

from loom.deploy.artifacts.model import Artifact
from loom.deploy.writer.changes import State, plan_changes
from loom.deploy.writer.difference import difference
from loom.deploy.writer.manifest import NAME, Manifest, digest
from loom.deploy.writer.snapshot import Entry, Form, Snapshot

TEXTS = st.sampled_from(["a\n", "b\n", "c\n"])
FILES = st.dictionaries(st.sampled_from(["p", "q/r", "q/s", "t"]), TEXTS)


def snapshot(files: dict[str, str], manifest: Manifest) -> Snapshot:
    entries = {path: Entry(Form.FILE, digest=digest(text)) for path, text in files.items()}
    return Snapshot(entries | {NAME: Entry(Form.FILE, digest=digest(str(manifest)))})


def after(files: dict[str, str], rendered: dict[str, str], states: dict[str, State]) -> dict[str, str]:
    """The folder once the changes are made."""
    kept = {p: files[p] for p, s in states.items() if s not in {State.CREATED, State.UPDATED, State.STALE}}
    return kept | {p: rendered[p] for p, s in states.items() if s in {State.CREATED, State.UPDATED}}


def artifacts(files: dict[str, str]) -> tuple[Artifact, ...]:
    return tuple(Artifact(path, text, "") for path, text in files.items())


@given(disk=FILES, rendered=FILES, last=FILES)
def test_only_what_a_render_wrote_is_overwritten_or_removed(
    disk: dict[str, str], rendered: dict[str, str], last: dict[str, str]
) -> None:
    manifest = Manifest.of(artifacts(last))
    changes = plan_changes(snapshot(disk, manifest), artifacts(rendered), manifest)
    result = after(disk, rendered, dict(changes.states))
    for path, text in disk.items():
        assert result.get(path) == text or last.get(path) == text


@given(disk=FILES, rendered=FILES, last=FILES)
def test_a_second_render_of_the_same_has_nothing_to_do(
    disk: dict[str, str], rendered: dict[str, str], last: dict[str, str]
) -> None:
    manifest = Manifest.of(artifacts(last))
    changes = plan_changes(snapshot(disk, manifest), artifacts(rendered), manifest)
    result = after(disk, rendered, dict(changes.states))
    again = plan_changes(snapshot(result, changes.manifest), artifacts(rendered), changes.manifest)
    assert not again.needed
    assert again.by_hand == changes.by_hand


@given(disk=FILES, rendered=FILES, last=FILES)
def test_force_leaves_what_is_rendered_and_what_was_never_ours(
    disk: dict[str, str], rendered: dict[str, str], last: dict[str, str]
) -> None:
    manifest = Manifest.of(artifacts(last))
    changes = plan_changes(snapshot(disk, manifest), artifacts(rendered), manifest).forced()
    foreign = {p: t for p, t in disk.items() if p not in rendered and p not in last}
    assert after(disk, rendered, dict(changes.states)) == rendered | foreign
    assert not changes.by_hand
    assert changes.manifest == Manifest.of(artifacts(rendered))


def test_a_difference_shows_the_line_and_stays_short() -> None:
    assert difference("f", "a\nb\n", "a\nc\n") == "@@ -1,2 +1,2 @@\n a\n-b\n+c"
    long = "\n".join(str(number) for number in range(100))
    shown = difference("f", long, "", 5).splitlines()
    assert len(shown) == 6
    assert shown[-1] == "…"
    assert difference("f", "a\n", "a") == "(only line ends differ)"
    assert not difference("f", "a\n", "a\n")
