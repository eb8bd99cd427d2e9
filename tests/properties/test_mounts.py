"""What the containers of every profile mount lies there once the profile is rendered."""

from pathlib import PurePosixPath

from hypothesis import find, given

from loom.deploy.plan.identity import FOLDER
from tests.properties.test_edges import COMPOSE, EITHER, FEW, SYSTEMS, compose, plan_of, rendered
from tests.properties.test_profiles import UNSHRUNK, Document


@given(EITHER)
@FEW
def test_every_file_and_folder_that_a_container_mounts_is_rendered(document: Document) -> None:
    found = rendered(plan_of(document))
    services = compose(found[COMPOSE])["services"]
    there = {"./" + str(one) for path in found for one in (path, *PurePosixPath(path).parents)}
    mounts = [
        (name, mount["source"])
        for name, service in services.items()
        for mount in service.get("volumes", ())
        if mount["type"] == "bind" and mount["source"].startswith("./")
    ]
    assert mounts
    for name, source in mounts:
        assert source in there or source.startswith(f"./{FOLDER}/"), (name, source)


def test_the_strategy_reaches_a_secret_of_others_where_nothing_of_ours_is_protected() -> None:
    def bare(document: Document) -> bool:
        return bool(document["metrics"]["remote_write"]) and "tls" not in document["security"]

    find(SYSTEMS, bare, settings=UNSHRUNK)
