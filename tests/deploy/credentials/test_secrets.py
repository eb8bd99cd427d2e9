"""`secrets init | set | rotate | check`: made once, kept, derived, and never shown."""

import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from loom.deploy import api
from loom.deploy.credentials import audit, keeping, password, roster
from loom.deploy.credentials.keeping import Kept, initialise, put, rotate
from loom.deploy.credentials.vault import Vault
from loom.deploy.plan.identity import Kind, secrets
from loom.deploy.plan.model import Plan
from loom.deploy.profile import forms
from loom.deploy.profile.model import Profile
from loom.errors import InputError


def states(kept: tuple[Kept, ...], *wanted: str) -> set[str]:
    return {f"{one.holder}/{one.name}" for one in kept if one.state in wanted}


def content(vault: Vault, holder: str, name: str) -> str:
    return vault.file(holder, name).read_text()


def problems(plan: Plan, vault: Vault) -> str:
    return "\n".join(map(str, audit.problems(plan, vault)))


@pytest.fixture
def filled(plan: Plan, vault: Vault) -> Vault:
    initialise(plan, vault)
    return vault


def test_every_secret_of_the_plan_is_made_and_passes_the_check(plan: Plan, vault: Vault) -> None:
    kept = initialise(plan, vault)
    assert states(kept, "created") == {f"{one.holder}/{one.file}" for one in secrets(plan)}
    assert problems(plan, vault) == ""


def test_passwords_are_long_differ_and_need_no_quoting(plan: Plan, filled: Vault) -> None:
    made = [content(filled, one.holder, one.file) for one in secrets(plan) if one.kind is Kind.PASSWORD]
    assert len(set(made)) == len(made) >= 5
    assert all(len(one) >= 43 and one.replace("-", "").replace("_", "").isalnum() for one in made)


def test_every_server_knows_its_callers_by_their_passwords_and_nobody_else(plan: Plan, filled: Vault) -> None:
    for one in secrets(plan):
        if one.kind not in keeping.DERIVED:
            continue
        known = roster.known(one.kind, content(filled, one.holder, one.file))
        assert tuple(sorted(known)) == one.callers
        for caller, kept in known.items():
            assert password.matches(content(filled, caller, "password"), kept)
            assert not password.matches(content(filled, caller, "password")[:-1], kept)


def test_no_password_stands_in_what_a_server_reads(plan: Plan, filled: Vault) -> None:
    made = [content(filled, one.holder, one.file) for one in secrets(plan) if one.kind is Kind.PASSWORD]
    read = [content(filled, one.holder, one.file) for one in secrets(plan) if one.kind in keeping.DERIVED]
    assert [secret for secret in made for text in read if secret in text] == []


def test_files_are_for_their_owner_only(plan: Plan, filled: Vault) -> None:
    for one in secrets(plan):
        assert filled.file(one.holder, one.file).stat().st_mode & 0o777 == 0o600


def test_the_web_configuration_speaks_tls_as_the_profile_says(
    filled: Vault, variant: Callable[[str], Plan]
) -> None:
    assert "min_version: TLS13" in content(filled, "prometheus", "web.yml")
    older = variant("security: {tls: {minimum: '1.2'}}")
    assert "web.yml  is not as it would be written" in problems(older, filled)
    assert states(initialise(older, filled), "changed") == {"prometheus/web.yml", "alertmanager/web.yml"}
    document = yaml.safe_load(content(filled, "prometheus", "web.yml"))
    assert document["tls_server_config"] == {
        "cert_file": "cert.pem",
        "key_file": "key.pem",
        "min_version": "TLS12",
    }


def test_again_changes_nothing(plan: Plan, filled: Vault) -> None:
    before = {path: path.read_bytes() for path in filled.folder.rglob("*") if path.is_file()}
    assert states(initialise(plan, filled), "created", "changed", "missing") == set()
    assert {path: path.read_bytes() for path in filled.folder.rglob("*") if path.is_file()} == before


def test_a_password_changed_by_hand_is_found_and_learnt(plan: Plan, filled: Vault) -> None:
    before = content(filled, "prometheus", "web.yml")
    filled.file("grafana", "password").write_text("of-my-own\n")
    assert "prometheus/web.yml  does not know the password of grafana" in problems(plan, filled)
    assert states(initialise(plan, filled), "changed") == {"prometheus/web.yml", "alertmanager/web.yml"}
    after = roster.known(Kind.WEB, content(filled, "prometheus", "web.yml"))
    assert password.matches("of-my-own", after["grafana"])
    # The others' hashes stay: nobody else has to notice.
    known = roster.known(Kind.WEB, before)
    assert {name for name in after if after[name] != known[name]} == {"grafana"}


def test_a_caller_that_is_gone_is_forgotten_and_one_that_came_is_known(
    filled: Vault, plan: Plan, variant: Callable[[str], Plan]
) -> None:
    without = variant("canary: {enabled: false}")
    assert "knows canary, who call it no more" in problems(without, filled)
    initialise(without, filled)
    assert "canary" not in roster.known(Kind.WEB, content(filled, "prometheus", "web.yml"))
    initialise(plan, filled)
    assert "canary" in roster.known(Kind.WEB, content(filled, "prometheus", "web.yml"))


def test_a_rotated_password_is_new_and_known_wherever_the_party_calls(plan: Plan, filled: Vault) -> None:
    before = content(filled, "operator", "password")
    changed = states(rotate(plan, filled, "operator"), "changed")
    assert changed == {"operator/password", "prometheus/web.yml", "alertmanager/web.yml", "proxy/users"}
    assert content(filled, "operator", "password") != before
    assert problems(plan, filled) == ""


def test_what_is_not_there_cannot_be_rotated(plan: Plan, filled: Vault) -> None:
    with pytest.raises(InputError, match=r"jaeger has no secret password in this profile.*operator password"):
        rotate(plan, filled, "jaeger")
    with pytest.raises(InputError, match="is not ours to make up"):
        rotate(plan, filled, "prometheus", "web.yml")


def test_a_password_longer_than_bcrypt_tells_apart_is_refused(plan: Plan, filled: Vault) -> None:
    with pytest.raises(InputError, match="longer than the 72 bytes"):
        put(plan, filled, "operator", "password", "x" * 73)


@pytest.fixture
def receivers(variant: Callable[[str], Plan]) -> Plan:
    return variant("alerting: {receivers: [{name: chat, url_secret: chat_url}]}")


def test_what_comes_from_outside_is_never_made_up(receivers: Plan, vault: Vault) -> None:
    given = {f"{one.holder}/{one.file}" for one in secrets(receivers) if one.kind is Kind.GIVEN}
    assert "alertmanager/chat_url" in given
    assert states(initialise(receivers, vault), "missing") == given
    assert "chat_url  is missing (loom-deploy secrets set alertmanager chat_url < FILE)" in problems(
        receivers, vault
    )


def test_what_is_brought_is_kept_without_its_newline(receivers: Plan, vault: Vault) -> None:
    initialise(receivers, vault)
    put(receivers, vault, "alertmanager", "chat_url", "https://chat.example/hook?key=abc\n")
    assert content(vault, "alertmanager", "chat_url") == "https://chat.example/hook?key=abc"
    assert "chat_url" not in problems(receivers, vault)
    initialise(receivers, vault)
    assert content(vault, "alertmanager", "chat_url") == "https://chat.example/hook?key=abc"


@pytest.mark.parametrize("host", ["chat.example", "10.0.0.7:9095", "[2001:db8::1]"])
def test_production_calls_nobody_elsewhere_in_plain_text(receivers: Plan, vault: Vault, host: str) -> None:
    initialise(receivers, vault)
    with pytest.raises(InputError, match="called in plain text") as caught:
        put(receivers, vault, "alertmanager", "chat_url", f"http://{host}/hook?key=abc")
    assert "abc" not in str(caught.value)
    for fine in (
        "http://localhost:9095/hook",
        "http://127.0.0.1/hook",
        "http://[::1]:1/",
        "http://relay:80",
        f"https://{host}",
    ):
        put(receivers, vault, "alertmanager", "chat_url", fine)
        assert "plain text" not in problems(receivers, vault)
    vault.file("alertmanager", "chat_url").write_text(f"http://{host}/hook")  # by hand, past `secrets set`
    assert "called in plain text" in problems(receivers, vault)


def test_a_key_or_a_file_of_several_lines_is_kept_as_it_is(receivers: Plan, vault: Vault) -> None:
    initialise(receivers, vault)
    text = "type: S3\nconfig:\n  bucket: metrics\n"
    put(receivers, vault, "alertmanager", "chat_url", text)
    assert content(vault, "alertmanager", "chat_url") == text


@pytest.mark.parametrize("value", ["", "\n", " secret", "two\nlines", "a\tb", "nul\0"])
def test_a_password_is_one_line(plan: Plan, filled: Vault, value: str) -> None:
    before = content(filled, "operator", "password")
    with pytest.raises(InputError, match=r"one line without spaces at its ends|text that is not empty"):
        put(plan, filled, "operator", "password", value)
    assert content(filled, "operator", "password") == before


@pytest.mark.parametrize("value", ["", "\n", " \n\t", "nul\0", "\x1b[31mred"])
def test_what_cannot_be_a_secret_is_refused_without_repeating_it(
    receivers: Plan, vault: Vault, value: str
) -> None:
    with pytest.raises(InputError) as refused:
        put(receivers, vault, "alertmanager", "chat_url", value)
    assert str(refused.value) == (
        "what was given for alertmanager/chat_url cannot be a secret (text that is not empty)"
    )
    assert not vault.file("alertmanager", "chat_url").exists()


@pytest.fixture
def tokens(variant: Callable[[str], Plan]) -> Plan:
    return variant("security: {ingestion: token}")


def test_a_token_is_the_same_for_all_and_the_server_takes_the_old_one_for_a_while(
    tokens: Plan, vault: Vault
) -> None:
    initialise(tokens, vault)
    first = content(vault, "loom", "token")
    assert {content(vault, party, "token") for party in ("canary", "otel-collector")} == {first}
    rotate(tokens, vault, "loom", "token")
    second = content(vault, "loom", "token")
    assert second != first
    assert content(vault, "canary", "token") == second
    assert content(vault, "otel-collector", "token").split() == [second, first]
    assert problems(tokens, vault) == ""
    assert states(initialise(tokens, vault), "changed") == set()
    rotate(tokens, vault, "loom", "token", at_once=True)
    assert content(vault, "otel-collector", "token") == content(vault, "loom", "token")


def test_tokens_that_differ_are_found_and_not_overwritten(tokens: Plan, vault: Vault) -> None:
    initialise(tokens, vault)
    vault.file("loom", "token").write_text("another")
    assert "hold different ones" in problems(tokens, vault)
    with pytest.raises(InputError, match="hold different tokens"):
        initialise(tokens, vault)
    assert content(vault, "loom", "token") == "another"
    put(tokens, vault, "loom", "token", "the-right-one")
    assert problems(tokens, vault) == ""


def test_a_profile_without_authentication_needs_no_secrets(vault: Vault) -> None:
    assert initialise(api.load_plan("dev"), vault) == ()


def test_a_file_open_to_others_is_found(plan: Plan, filled: Vault) -> None:
    filled.file("operator", "password").chmod(0o640)
    assert "operator/password  can be read by others (mode 0640)" in problems(plan, filled)


def test_an_empty_file_is_missing_and_made_anew(plan: Plan, filled: Vault) -> None:
    filled.file("operator", "password").write_text("")
    assert "operator/password  is missing" in problems(plan, filled)
    initialise(plan, filled)
    assert problems(plan, filled) == ""


@pytest.fixture
def everything(plan: Plan, filled: Vault, caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Every password, to be found in nothing that a test logs or raises."""
    caplog.set_level(logging.DEBUG)
    made = [content(filled, one.holder, one.file) for one in secrets(plan)]
    yield made
    assert [one for one in made if one in caplog.text] == []


def test_nothing_that_is_returned_logged_or_raised_holds_a_secret(
    plan: Plan, filled: Vault, everything: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [repr(initialise(plan, filled)), repr(rotate(plan, filled, "grafana"))]
    filled.file("operator", "password").chmod(0o644)
    filled.file("proxy", "users").write_text("broken")
    said.append(repr(audit.problems(plan, filled)))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        with pytest.raises(Exception, match="no space left") as failed:
            rotate(plan, filled, "prometheus")
    said.append(repr(failed.value))
    now = [content(filled, one.holder, one.file) for one in secrets(plan) if one.file == "password"]
    text = "\n".join(said)
    assert [one for one in (*everything, *now) if one in text] == []


def test_a_profile_has_no_field_that_a_secret_could_stand_in() -> None:
    """Where a secret is meant, a profile holds its name, of a form that no password, token or URL has."""
    schema = Profile.model_json_schema()
    models = (schema, *schema["$defs"].values())
    fields = [pair for model in models for pair in model.get("properties", {}).items()]
    meant = [pair for pair in fields if re.search("secret|password|token|key|credential", pair[0])]
    assert meant
    for name, field in meant:
        pattern = next(iter(_patterns(field)), "")
        assert pattern == forms.SECRET_NAME, name
    assert not re.fullmatch(forms.SECRET_NAME, "https://chat.example/hook")


def _patterns(field: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    yield from (found for found in [field.get("pattern")] if found)
    for inner in field.get("anyOf", ()):
        yield from _patterns(inner)
