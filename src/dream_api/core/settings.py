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

    host: str = Field("127.0.0.1", description="The address on which the server listens.")
    port: int = Field(8787, ge=0, le=65535, description="The port on which the server listens.")
    processes: int = Field(
        1,
        ge=1,
        le=64,
        description="The number of server processes that share the port. More than one needs PostgreSQL.",
    )
    data: Path = Field(
        Path("data"),
        description="The data directory. It contains the SQLite database, the instance key, files and the server's "
        "lock.",
    )
    database_url: str | None = Field(
        None,
        description="The URL of a PostgreSQL database: `postgresql://user:password@host:port/name`. By default, "
        "SQLite is used.",
    )
    valkey_url: str | None = Field(
        None,
        pattern=r"^((redis|rediss|valkey|valkeys)://[^\s/]|unix:///)\S*$",
        description="The URL of a Valkey or Redis server, with which several servers share their rate limits: "
        "`valkey://user:password@host:port/number`. You can also use `redis:`, `valkeys:` or `rediss:` (with TLS), or "
        "`unix:///path`. If it is not set, each server has its own rate limits.",
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/]",
        description="The public URL of this instance, such as `https://api.example.com`. All links start with it. "
        "The Host header is never used. By default, links use the listening address.",
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="The addresses or networks of your proxies, separated by commas. Only their `X-Forwarded-For` is "
        "used.",
    )
    home_mode: Literal["test", "live"] = Field(
        "live",
        description="The mode of the operator's project in which the levels of this instance are defined and sold.",
    )
    instance_key: SecretStr | None = Field(
        None,
        description="The instance key: 64 hexadecimal digits. By default, it is in the file `instance.key` in the "
        "data directory.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        description="A bearer token for `/metrics`. Without it, metrics can only be read from the same machine.",
    )
    sign_up: Literal["open", "invited", "closed"] = Field(
        "open",
        description="Who can create a developer account: everyone (`open`), only people with an invitation "
        "(`invited`), or nobody (`closed`).",
    )
    oidc_issuer: str | None = Field(
        None,
        pattern=r"^https?://[^\s/]",
        description="The issuer URL of an OpenID Connect provider with which developers can sign in, such as "
        "`https://accounts.google.com`. Register the redirect URL `/account/oidc/callback` (after the public URL) "
        "there.",
    )
    oidc_client_id: str | None = Field(
        None,
        validate_default=True,
        description="The client id of this instance at the OpenID Connect provider. Required with `DREAM_OIDC_ISSUER`.",
    )
    oidc_client_secret: SecretStr | None = Field(
        None, description="The client secret, if the OpenID Connect provider issued one."
    )
    oidc_name: str = Field(
        "Single sign-on",
        description="The name of the OpenID Connect provider on the sign-in button: `Continue with …`.",
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="The mail server: `smtp://user:password@host:587` or `smtps://user:password@host:465`. With "
        "`smtp:`, the password is only sent after STARTTLS. Without a mail server, email is not sent. The operator "
        "can read it in the dashboard.",
    )
    mail_from: str | None = Field(
        None,
        validate_default=True,
        description="The sender of email: `Dream <hello@example.com>` or only an address. Required with "
        "`DREAM_SMTP_URL`.",
    )
    body_limit: int = Field(1_048_576, ge=1024, description="The maximum size of a request body, in bytes.")
    asset_limit: int = Field(
        10_485_760, ge=1024, le=1_073_741_824, description="The maximum size of a file (asset), in bytes."
    )
    asset_quota: int = Field(
        1_073_741_824,
        ge=0,
        le=9_007_199_254_740_991,
        description="The maximum total size of the files (assets) of one platform, in bytes. Above it, uploads return "
        "403 `storage_full`. 0 means no limit.",
    )
    s3_bucket: str | None = Field(
        None,
        description="A bucket for files (assets) in S3, R2 or another S3-compatible store. By default, files are "
        "stored in the data directory, which servers on different machines do not share.",
    )
    s3_endpoint: str | None = Field(
        None,
        pattern=r"^https?://[^\s/]",
        description="The URL of the S3-compatible store, such as `https://ACCOUNT.r2.cloudflarestorage.com`. Default: "
        "Amazon S3.",
    )
    s3_region: str = Field("us-east-1", description="The region of the S3 bucket. Use `auto` for R2.")
    s3_key_id: str | None = Field(None, description="The access key id for the S3 bucket.")
    s3_secret: SecretStr | None = Field(None, description="The secret access key for the S3 bucket.")
    open_rate: int = Field(
        20,
        ge=0,
        le=1_000_000,
        description="The maximum number of requests per second from one address without a working secret key or "
        "personal token. Above it, requests return 429 `rate_limited`. 0 means no limit.",
    )
    connections_per_address: int = Field(
        1_000,
        ge=0,
        le=1_000_000,
        description="The maximum number of open connections from one address to each server process. Above it, new "
        "connections return 429 `too_many_connections`. 0 means no limit. Trusted proxies are not limited.",
    )
    fast_path: bool = Field(
        True,
        description="Whether simple metered calls (`POST /api/data`) are parsed directly from the socket, which is "
        "several times faster. With `false`, all requests go through uvicorn and ASGI. The responses are the same.",
    )
    metering_queue: int = Field(
        10_000,
        ge=1,
        # Aliases are read without the prefix; the first one that is set counts.
        validation_alias=AliasChoices("DREAM_METERING_QUEUE", "DREAM_GATE_QUEUE"),
        description="The maximum number of waiting metered calls in each process. Above it, new calls return 503 "
        "`overloaded`. The old name `DREAM_GATE_QUEUE` is still read if this setting is not set.",
    )
    workers: Literal["auto", "inside", "outside"] = Field(
        "auto",
        description="Where background jobs run: `inside` the server, or `outside` in `dream-api worker`. "
        "`auto` means inside on SQLite and outside on PostgreSQL.",
    )
    shutdown_seconds: int = Field(
        20, ge=1, description="How many seconds a stopping server waits for requests in progress."
    )
    log_format: Literal["auto", "json", "text"] = Field(
        "auto",
        description="The format of the log: `json` or `text`. `auto` means text in a terminal and JSON otherwise.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The minimum level of log lines."
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
            raise ValueError("it is needed with DREAM_OIDC_ISSUER")
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
