"""Every setting of an instance, read once from `DREAM_*` in the environment."""

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AliasChoices, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

_SENDER = re.compile(r"([^<>@\x00-\x1f,;\"]*<[^\s<>@,;]+@[^\s<>@,;]+>|[^\s<>@,;]+@[^\s<>@,;]+)")
_INSTANCE_KEY = re.compile(r"[0-9a-fA-F]{64}")


class Settings(BaseSettings):
    """What an operator may set. Each field's description is its documentation (docs/settings.md is made from it)."""

    model_config = SettingsConfigDict(
        env_prefix="DREAM_",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        hide_input_in_errors=True,
        # Code and error messages name a setting by its field, also where it has an older variable as well.
        validate_by_name=True,
        loc_by_alias=False,
    )

    host: str = Field("127.0.0.1", description="The address that the server listens on.")
    port: int = Field(8787, ge=0, le=65535, description="The port that the server listens on.")
    processes: int = Field(
        1,
        ge=1,
        le=64,
        description="How many server processes share the port and the work; more than one needs PostgreSQL.",
    )
    data: Path = Field(
        Path("data"),
        description="The data directory: the embedded database, the instance key and the server's lock.",
    )
    database_url: str | None = Field(
        None,
        description="`postgresql://user:password@host:port/name` to use PostgreSQL instead of the embedded SQLite.",
    )
    valkey_url: str | None = Field(
        None,
        pattern=r"^((redis|rediss|valkey|valkeys)://[^\s/]|unix:///)\S*$",
        description="`valkey://user:password@host:port/number` (or `redis:`; `valkeys:` or `rediss:` with TLS; "
        "`unix:///path`): several servers share their rate limits through it. Without it each has its own.",
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/]",
        description="Where people reach this instance, such as `https://api.example.com`; "
        "every link is made from it, never from the Host header. By default the listening address.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Comma-separated addresses or networks whose `X-Forwarded-For` is believed.",
    )
    home_mode: Literal["test", "live"] = Field(
        "live",
        description="The mode of the home project whose tiers are this instance's levels.",
    )
    instance_key: SecretStr | None = Field(
        None,
        description="The instance key, 64 hexadecimal digits, instead of the file `instance.key` in the data folder.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        description="A bearer token that opens `/metrics` to addresses other than loopback.",
    )
    sign_up: Literal["open", "invited", "closed"] = Field(
        "open",
        description="Who may make a developer's account: anybody (`open`), who was invited to a platform (`invited`), "
        "or nobody (`closed`).",
    )
    oidc_issuer: str | None = Field(
        None,
        pattern=r"^https?://[^\s/]",
        description="Developers may also sign in by this OpenID Connect provider: its issuer, as it calls itself, "
        "such as `https://accounts.google.com`. It sends people back to `/account/oidc/callback` of the public URL.",
    )
    oidc_client_id: str | None = Field(
        None,
        validate_default=True,
        description="What this instance is called at the provider; needed with `DREAM_OIDC_ISSUER`.",
    )
    oidc_client_secret: SecretStr | None = Field(
        None, description="The secret that belongs to the client id, where the provider gave one."
    )
    oidc_name: str = Field("Single sign-on", description="What people call the provider: `Continue with …`.")
    smtp_url: SecretStr | None = Field(
        None,
        description="The mail server: `smtp://user:password@host:587` (with STARTTLS, which a password waits for) or "
        "`smtps://user:password@host:465`. Without it emails are kept, for the operator to read in the dashboard.",
    )
    mail_from: str | None = Field(
        None,
        validate_default=True,
        description="Who writes: `Dream <hello@example.com>` or an address alone; needed with `DREAM_SMTP_URL`.",
    )
    body_limit: int = Field(1_048_576, ge=1024, description="The largest request body that is read, in bytes.")
    asset_limit: int = Field(
        10_485_760, ge=1024, le=1_073_741_824, description="The largest file that is kept as an asset, in bytes."
    )
    asset_quota: int = Field(
        1_073_741_824,
        ge=0,
        le=9_007_199_254_740_991,
        description="How many bytes the assets of one platform take together, before it gets 403 `storage_full`; "
        "0 is any number.",
    )
    s3_bucket: str | None = Field(
        None,
        description="A bucket for files (assets) of S3, R2 or another store that speaks S3. "
        "Without it they lie in the data directory, which several servers on several machines do not share.",
    )
    s3_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^\s/]",
        description="Where that store answers: `https://ACCOUNT.r2.cloudflarestorage.com`, say; by default Amazon's.",
    )
    s3_region: str = Field("us-east-1", description="The bucket's region; `auto` of R2.")
    s3_key_id: str | None = Field(None, description="The access key's id of that store.")
    s3_secret: SecretStr | None = Field(None, description="The access key's secret of that store.")
    open_rate: int = Field(
        20,
        ge=0,
        le=1_000_000,
        description="How many requests a second one address may send without a working secret key or personal token, "
        "before it gets 429 `rate_limited`; 0 is any number.",
    )
    connections_per_address: int = Field(
        1_000,
        ge=0,
        le=1_000_000,
        description="How many connections one address may have open at a time in each server process, before it gets "
        "429 `too_many_connections`; 0 is any number. Trusted proxies may have any number.",
    )
    fast_path: bool = Field(
        True,
        description="Whether plain metered calls (`POST /api/data`) are read straight from the socket. `false` sends "
        "every request through uvicorn and ASGI, with the same answers, at several times the cost of a call.",
    )
    metering_queue: int = Field(
        10_000,
        ge=1,
        # Aliases are read without the prefix; the first one that is set counts.
        validation_alias=AliasChoices("DREAM_METERING_QUEUE", "DREAM_GATE_QUEUE"),
        description="How many metered calls may wait for their turn in a process before new ones get 503 `overloaded`. "
        "The older name `DREAM_GATE_QUEUE` is read where this one is not set.",
    )
    workers: Literal["auto", "inside", "outside"] = Field(
        "auto",
        description="Where background jobs run: `inside` the server, `outside` in `dream-api worker`, "
        "or `auto`: inside on SQLite, outside on PostgreSQL.",
    )
    shutdown_seconds: int = Field(
        20, ge=1, description="How long a stopping server waits for the requests it has begun."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto", description="`json` lines, `text` for people, or `auto`: text on a terminal."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least important kind of log line that is written."
    )

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """In the one form that is matched by network; a name or a typing error would be believed of nobody."""
        return tuple(str(ip_network(text, strict=False)) for text in value)

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("it must begin with postgresql://")
        return value

    @field_validator("valkey_url")
    @classmethod
    def _has_a_real_port(cls, value: str | None) -> str | None:
        if value is not None:
            _ = urlsplit(value).port  # raises where it is none
        return value

    @field_validator("oidc_client_id")
    @classmethod
    def _known_to_the_provider(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("oidc_issuer") is not None:
            raise ValueError("DREAM_OIDC_ISSUER needs it: what this instance is called there")
        return value

    @field_validator("instance_key")
    @classmethod
    def _whole(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _INSTANCE_KEY.fullmatch(value.get_secret_value().strip()):
            raise ValueError("it must be 64 hexadecimal digits")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _is_smtp(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parts = urlsplit(value.get_secret_value())
            if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
                raise ValueError("it must be smtp://host or smtps://host")
            _ = parts.port  # raises where it is none
        return value

    @field_validator("mail_from")
    @classmethod
    def _is_one_address(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None and info.data.get("smtp_url") is not None:
            raise ValueError("it is needed with DREAM_SMTP_URL")
        if value is not None and not _SENDER.fullmatch(value):
            raise ValueError("it must be an address, such as Dream <hello@example.com>")
        return value

    @property
    def is_embedded(self) -> bool:
        return self.database_url is None

    @property
    def runs_jobs_inside(self) -> bool:
        return self.workers == "inside" or (self.workers == "auto" and self.is_embedded)

    @property
    def link_base(self) -> str:
        """The public URL without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")
