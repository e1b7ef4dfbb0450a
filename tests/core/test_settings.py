"""Settings come from DREAM_* alone, and an error about a value names the setting."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from dream_api.core.settings import Settings


def test_every_setting_is_read_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "host": "0.0.0.0",
        "port": "9000",
        "data": "/srv/dream",
        "database_url": "postgresql://dream@db/dream",
        "valkey_url": "valkeys://:secret@valkey:6380/2",
        "public_url": "https://api.example.com/",
        "trusted_proxies": "10.0.0.0/8, 192.168.1.5",
        "home_mode": "test",
        "instance_key": "ab" * 32,
        "metrics_token": "secret",
        "sign_up": "closed",
        "oidc_issuer": "https://login.example.com",
        "oidc_client_id": "dream",
        "oidc_client_secret": "secret",
        "oidc_name": "Example",
        "smtp_url": "smtps://dream:secret@mail:465",
        "mail_from": "Dream <hello@example.com>",
        "body_limit": "2048",
        "asset_limit": "4096",
        "asset_quota": "8192",
        "s3_bucket": "files",
        "s3_endpoint": "https://s3.example.com",
        "s3_region": "auto",
        "s3_key_id": "id",
        "s3_secret": "secret",
        "open_rate": "0",
        "connections_per_address": "50",
        "fast_path": "false",
        "metering_queue": "5",
        "processes": "3",
        "workers": "outside",
        "shutdown_seconds": "3",
        "log_format": "json",
        "log_level": "warning",
    }
    for name, value in told.items():
        monkeypatch.setenv(f"DREAM_{name.upper()}", value)
    settings = Settings()

    assert told.keys() == Settings.model_fields.keys()
    assert settings.model_dump() == {
        **told,
        "port": 9000,
        "data": Path("/srv/dream"),
        "trusted_proxies": ("10.0.0.0/8", "192.168.1.5/32"),
        "instance_key": SecretStr("ab" * 32),
        "metrics_token": SecretStr("secret"),
        "oidc_client_secret": SecretStr("secret"),
        "smtp_url": SecretStr("smtps://dream:secret@mail:465"),
        "body_limit": 2048,
        "asset_limit": 4096,
        "asset_quota": 8192,
        "s3_secret": SecretStr("secret"),
        "open_rate": 0,
        "connections_per_address": 50,
        "fast_path": False,
        "metering_queue": 5,
        "processes": 3,
        "shutdown_seconds": 3,
    }


def test_an_empty_variable_and_a_strangers_are_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREAM_PORT", "")
    monkeypatch.setenv("DREAM_NOBODY_KNOWS", "5")
    monkeypatch.setenv("PORT", "5")
    monkeypatch.setenv("HOST", "somewhere")

    assert Settings() == Settings(port=8787)
    assert Settings().host == "127.0.0.1"


@pytest.mark.parametrize(
    ("variables", "queue"),
    [
        ({"DREAM_METERING_QUEUE": "5"}, 5),
        ({"DREAM_GATE_QUEUE": "6"}, 6),
        ({"DREAM_METERING_QUEUE": "5", "DREAM_GATE_QUEUE": "6"}, 5),
        ({"DREAM_METERING_QUEUE": "", "DREAM_GATE_QUEUE": "6"}, 6),
        ({"METERING_QUEUE": "5", "GATE_QUEUE": "6"}, 10_000),
    ],
)
def test_the_older_variable_of_the_metering_queue_is_read_where_the_new_one_is_not_set(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], queue: int
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert Settings().metering_queue == queue


def test_a_value_given_in_code_goes_before_both_variables_of_the_metering_queue(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DREAM_METERING_QUEUE", "5")
    monkeypatch.setenv("DREAM_GATE_QUEUE", "6")

    assert Settings(metering_queue=7).metering_queue == 7


def test_a_value_of_the_older_variable_that_cannot_be_used_names_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREAM_GATE_QUEUE", "0")

    with pytest.raises(ValidationError) as refused:
        Settings()

    assert [error["loc"] for error in refused.value.errors()] == [("metering_queue",)]


@pytest.mark.parametrize(
    ("told", "networks"),
    [
        ("", ()),
        (" , ", ()),
        ("10.1.2.3", ("10.1.2.3/32",)),
        ("10.1.2.3/8", ("10.0.0.0/8",)),
        ("::1,fd00::/8", ("::1/128", "fd00::/8")),
        ("0.0.0.0/0", ("0.0.0.0/0",)),
    ],
)
def test_trusted_proxies_are_addresses_and_networks(
    monkeypatch: pytest.MonkeyPatch, told: str, networks: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DREAM_TRUSTED_PROXIES", told)

    assert Settings().trusted_proxies == networks


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "many"),
        ("port", "65536"),
        ("port", "-1"),
        ("home_mode", "home"),
        ("workers", "yes"),
        ("body_limit", "10"),
        ("fast_path", "perhaps"),
        ("metering_queue", "0"),
        ("processes", "0"),
        ("processes", "65"),
        ("open_rate", "-1"),
        ("open_rate", "many"),
        ("valkey_url", "valkey:6379"),
        ("valkey_url", "http://valkey:6379"),
        ("valkey_url", "redis://"),
        ("valkey_url", "unix://"),
        ("valkey_url", "redis://valkey:many"),
        ("shutdown_seconds", "0"),
        ("log_format", "xml"),
        ("log_level", "loud"),
        ("trusted_proxies", "proxy.example.com"),
        ("trusted_proxies", "10.0.0.0/8, 10.0.0.999"),
        ("trusted_proxies", "10.0.0.0/33"),
        ("public_url", "api.example.com"),
        ("public_url", "ftp://api.example.com"),
        ("public_url", "https://"),
        ("instance_key", "ab" * 31),
        ("instance_key", "xy" * 32),
    ],
)
def test_a_value_that_cannot_be_used_tells_its_setting(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"DREAM_{name.upper()}", value)

    with pytest.raises(ValidationError) as refused:
        Settings()

    assert [error["loc"] for error in refused.value.errors()] == [(name,)]


def test_a_secret_that_cannot_be_used_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DREAM_INSTANCE_KEY", "ab" * 31)

    with pytest.raises(ValidationError) as refused:
        Settings()

    assert "abab" not in str(refused.value)


def test_secrets_are_not_shown() -> None:
    settings = Settings(instance_key=SecretStr("ab" * 32), metrics_token=SecretStr("open sesame"))

    assert "abab" not in repr(settings)
    assert "sesame" not in repr(settings)


@pytest.mark.parametrize(
    ("told", "link_base"),
    [
        ({}, "http://127.0.0.1:8787"),
        ({"port": 80}, "http://127.0.0.1:80"),
        ({"host": "::1"}, "http://[::1]:8787"),
        ({"public_url": "https://api.example.com/"}, "https://api.example.com"),
        ({"public_url": "https://example.com/dream//"}, "https://example.com/dream"),
    ],
)
def test_links_are_made_from_the_public_url(told: dict[str, Any], link_base: str) -> None:
    assert Settings(**told).link_base == link_base


@pytest.mark.parametrize(
    ("workers", "url", "inside"),
    [
        ("auto", None, True),
        ("auto", "postgresql://db", False),
        ("inside", "postgresql://db", True),
        ("outside", None, False),
    ],
)
def test_jobs_run_inside_a_server_that_has_its_database_for_itself(workers: Any, url: str | None, inside: bool) -> None:
    assert Settings(workers=workers, database_url=url).runs_jobs_inside is inside
