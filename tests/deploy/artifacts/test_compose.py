"""The compose file."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from loom.contract.environment import ENDPOINT, SAMPLER, SERVICE_NAME
from loom.deploy.artifacts import collector, compose, healthcheck, parse, prometheus, rules
from loom.deploy.artifacts.model import Artifact
from loom.deploy.plan import Plan, derive, edges
from loom.deploy.plan.model import Purpose, Service
from loom.deploy.profile.loom import Loom
from loom.deploy.profile.model import Profile
from loom.deploy.programs import LOOM


def _services(plan: Plan) -> dict[str, Any]:
    found: Any = parse(compose.artifacts(plan)[0])
    services: dict[str, Any] = found["services"]
    return services


def _running(plan: Plan, *command: str) -> Plan:
    """The plan with a command of the user's own."""
    own = Loom(service_name=plan.profile.loom.service_name, command=command)
    return replace(plan, profile=plan.profile.model_copy(update={"loom": own}))


def test_containers_have_the_documented_names_and_pinned_images(plan: Plan) -> None:
    services = _services(plan)
    for service in plan.services:
        assert services[service]["container_name"] == f"loom-{service}"
        image, _, tag = services[service]["image"].partition(":")
        assert (image, tag) == (plan.container(service).program.image, plan.container(service).program.tag)
        assert tag not in {"", "latest"}


def test_memory_is_limited_without_swap_and_go_is_told(plan: Plan) -> None:
    for service, found in _services(plan).items():
        assert found["mem_limit"] == found["memswap_limit"]
        if service in set(Service):
            container = plan.container(Service(service))
            assert found["mem_limit"] == f"{container.memory_mib}m"
            told = f"{container.gomemlimit_mib}MiB" if container.gomemlimit_mib else None
            assert found["environment"].get("GOMEMLIMIT") == told


def test_configuration_is_mounted_read_only_and_nothing_is_created_on_the_host(plan: Plan) -> None:
    for found in _services(plan).values():
        for mount in found.get("volumes", ()):
            if mount["type"] == "bind":
                assert mount["read_only"] is True
                assert mount["bind"]["create_host_path"] is False


@pytest.mark.parametrize("bind", ["127.0.0.1", "0.0.0.0"])  # noqa: S104 - a choice of the profile
def test_ports_are_published_on_the_address_of_the_profile(plan_of: Callable[..., Plan], bind: str) -> None:
    plan = plan_of("dev", f"ports.bind={bind}")
    ports = [port for found in _services(plan).values() for port in found.get("ports", ())]
    assert len(ports) == sum(port.published for port in plan.ports)
    assert all(port.startswith(f"{bind}:") for port in ports)


def test_health_checks_need_no_shell_and_conditions_fit_them(plan: Plan) -> None:
    services = _services(plan)
    for found in services.values():
        if "healthcheck" in found:
            assert found["healthcheck"]["test"][0] == "CMD"
        for other, wait in found.get("depends_on", {}).items():
            if wait["condition"] == "service_healthy":
                assert "healthcheck" in services[other]


@pytest.mark.parametrize("mode", ["mutual", "off"])
def test_a_health_check_shows_a_file_only_where_that_is_rendered(mode: str) -> None:
    url = "https://central.example/api/v1/write"
    central = {"name": "central", "url": url, "bearer_secret": "central_token"}
    tls, metrics = mode == "mutual", {"remote_write": [central]}
    document = {"name": "team", "metrics": metrics, "security": {"tls": {"mode": mode}}}
    plan = derive(Profile.model_validate(document))
    services = _services(plan)
    written = {artifact.path for artifact in healthcheck.artifacts(plan)}
    for name in ("prometheus", "alertmanager"):
        told = " ".join(services[name]["healthcheck"]["test"])
        mounts = {mount["source"] for mount in services[name]["volumes"]}
        path = f"{name}/http.yml"
        assert ("--http.config.file" in told) == (f"./{path}" in mounts) == (path in written) == tls
    # It is given what it shows elsewhere, whether or not anything here is protected.
    assert "./secrets/prometheus" in {mount["source"] for mount in services["prometheus"]["volumes"]}


def test_an_image_of_ours_is_needed_by_the_canary_and_what_nothing_else_depends_on(plan: Plan) -> None:
    services = _services(plan)
    apart = {name for name, found in services.items() if found.get("profiles")}
    assert apart == {edges.LOOM, edges.PROBE}
    ours = {name for name, found in services.items() if found["image"].startswith("localhost/")}
    assert ours == {*apart, *({Service.CANARY} & set(plan.services))}
    for name, found in services.items():
        assert name in ours or not ours & set(found.get("depends_on", ()))
    for name in ours:
        assert services[name]["image"] == LOOM.reference
        assert services[name]["pull_policy"] == "never"  # somebody else's image of that name is not ours


def test_whatever_is_scraped_starts_with_the_documented_command(plan: Plan) -> None:
    services = _services(plan)
    scraped = {edge.service for edge in plan.edges if edge.source == Service.PROMETHEUS}
    assert [one for one in scraped if "profiles" in services[one]] == []
    assert (Service.CANARY in scraped) == plan.profile.canary.enabled


def test_grafana_shows_alerts_and_fetches_nothing_at_its_start(plan: Plan) -> None:
    told = _services(plan)["grafana"]["environment"]
    assert [name for name in told if "ALERTING" in name] == []
    assert told["GF_PLUGINS_PREINSTALL_DISABLED"] == "true"


def test_the_probe_asks_what_has_no_program_to_check_itself(plan: Plan) -> None:
    services = _services(plan)
    asked = [word for word in services["probe"]["healthcheck"]["test"] if word.startswith("http")]
    scheme = plan.scheme(Service.COLLECTOR, Purpose.HEALTH)
    assert asked == [f"{scheme}://otel-collector:13133/", f"{scheme}://jaeger:13133/status"]
    assert services["loom"]["depends_on"] == {"probe": {"condition": "service_healthy"}}
    unchecked = {service for service in plan.services if "healthcheck" not in services[service]}
    # The proxy is asked by `loom-deploy up`; the image of the canary brings its own check.
    assert unchecked - {Service.PROXY, Service.CANARY} == {Service.COLLECTOR, Service.JAEGER}


def test_loom_reports_to_the_collector_beside_it_as_the_profile_says(plan_of: Callable[..., Plan]) -> None:
    plan = _running(plan_of("prod", "loom.service_name=agents", "ports.offset=100"), "-m", "agents")
    found = _services(plan)["loom"]
    assert found["environment"][ENDPOINT.name] == "https://otel-collector:4317"
    assert found["environment"][SERVICE_NAME.name] == "agents"
    assert found["environment"][SAMPLER.name] == "traceidratio=0.1"


def test_the_demonstration_counts_as_nobodys_service(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of("prod", "loom.service_name=agents")
    (text,) = (artifact.text for artifact in compose.artifacts(plan))
    assert _services(plan)["loom"]["environment"][SERVICE_NAME.name] == "loom-load"
    assert "A demonstration" in text
    (own,) = (artifact.text for artifact in compose.artifacts(_running(plan, "-m", "agents")))
    assert "A demonstration" not in own


def test_a_dollar_in_loom_s_command_is_not_for_compose_to_fill_in(plan: Plan) -> None:
    changed = _running(plan, "-c", "print('$HOME')")
    assert _services(changed)["loom"]["command"] == ["-c", "print('$$HOME')"]


def test_an_image_of_a_registry_may_be_pulled(plan_of: Callable[..., Plan]) -> None:
    found = _services(plan_of("dev", "loom.image=registry.example:5000/team/agents:1.2"))["loom"]
    assert found["image"] == "registry.example:5000/team/agents:1.2"
    assert "pull_policy" not in found


def test_volumes_of_images_without_a_folder_for_them_are_made_by_one_that_has_it(
    plan_of: Callable[..., Plan],
) -> None:
    plan = plan_of("prod")
    services = _services(plan)
    for service in (Service.COLLECTOR, Service.JAEGER):
        volume = plan.container(service).volume
        init = services[f"init-{volume}"]
        assert services[service]["user"] == "65534:65534"
        assert services[service]["depends_on"][f"init-{volume}"] == {
            "condition": "service_completed_successfully"
        }
        assert init["image"] == services["prometheus"]["image"]
        assert [mount["target"] for mount in init["volumes"]] == [plan.container(Service.PROMETHEUS).data]
        assert "cap_add" not in init
        assert "user" not in init
    in_memory = _services(plan_of("dev"))
    assert not any(name.startswith("init-") for name in in_memory)


def test_nothing_runs_as_root_by_our_wish_and_nothing_keeps_a_capability(plan: Plan) -> None:
    for found in _services(plan).values():
        assert found["cap_drop"] == ["ALL"]
        assert found["security_opt"] == ["no-new-privileges:true"]
        assert not str(found.get("user", "")).startswith("0")


def test_volumes_used_are_volumes_declared(plan: Plan) -> None:
    found: Any = parse(compose.artifacts(plan)[0])
    used = {
        mount["source"]
        for service in found["services"].values()
        for mount in service.get("volumes", ())
        if mount["type"] == "volume"
    }
    assert used == set(found["volumes"])


def test_a_changed_configuration_recreates_its_container_and_no_other(plan: Plan) -> None:
    files = (*collector.artifacts(plan), *prometheus.artifacts(plan), *rules.artifacts(plan))

    def digests(changed: Artifact | None) -> dict[str, str]:
        others = [
            replace(file, text=file.text + "#\n") if changed and file.path == changed.path else file
            for file in files
        ]
        return {service: compose.digest(service, others) for service in Service}

    for file in files:
        before, after = digests(None), digests(file)
        changed = {service for service in plan.services if before[service] != after[service]}
        if file.path == collector.NAME:
            assert changed == {Service.COLLECTOR}
        elif file.path in {prometheus.NAME, rules.files.RECORDING, rules.files.ALERTS}:
            assert changed == {Service.PROMETHEUS}
        elif file.path.startswith(("native/", "prometheus/tests/")):
            assert changed == set()


def test_secrets_are_files_and_the_password_is_not_in_the_text(plan_of: Callable[..., Plan]) -> None:
    plan = plan_of("prod")
    text = compose.artifacts(plan)[0].text
    assert "GF_SECURITY_ADMIN_PASSWORD__FILE: /run/secrets/admin_password" in text
    assert "GF_SECURITY_ADMIN_PASSWORD:" not in text
    assert "source: ./secrets/grafana\n" in text


def test_prometheus_is_healthy_before_a_collector_that_pushes(plan_of: Callable[..., Plan]) -> None:
    waits = _services(plan_of("prod", "metrics.delivery=otlp"))["otel-collector"]["depends_on"]
    assert waits["prometheus"] == {"condition": "service_healthy"}
