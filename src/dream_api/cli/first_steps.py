"""What is left to do on a new instance, as `serve`, `init` and `operator-link` print it."""

import shutil
import sys
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from dream_api import operations, platforms
from dream_api.core import clock
from dream_api.core.console import CommandContext, KeyValueTable, ago
from dream_api.core.settings import Settings
from dream_api.operations import FirstProject
from dream_api.platforms import OperatorLink

_COMMAND = "dream-api"


@dataclass(frozen=True, slots=True)
class OperatorUrl:
    """Where somebody creates the operator's account."""

    url: str
    expires_at: int

    @property
    def data(self) -> dict[str, Any]:
        return {"url": self.url, "expiresAt": clock.rfc3339(self.expires_at)}


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """Both are None once the instance has an operator, who finds everything in the dashboard."""

    operator: OperatorUrl | None = None
    project: FirstProject | None = None


async def find_first_steps(context: CommandContext) -> FirstSteps:
    if not await platforms.operator_is_missing(context.tx):
        return FirstSteps()
    key = await context.instance_key()
    link = await platforms.pending_operator_link(context.tx, key)
    return FirstSteps(operator_url(context.settings, link), await operations.find_first_project(context.tx, key))


def operator_url(settings: Settings, link: OperatorLink) -> OperatorUrl:
    return OperatorUrl(f"{settings.link_base}/account/operator/{link.token}", link.expires_at)


def typed_command() -> str:
    """How `dream-api` is typed in this directory."""
    if shutil.which(_COMMAND) is not None:
        return _COMMAND
    installed = Path(sys.executable).with_name(_COMMAND)
    if not installed.exists():
        return f"{sys.executable} -m dream_api"
    return str(installed.relative_to(Path.cwd())) if installed.is_relative_to(Path.cwd()) else str(installed)


def invitation(operator: OperatorUrl, command: str) -> list[RenderableType]:
    """The link on a line of its own, which 80 columns are enough for."""
    return [
        Text("Next, create your account. You become the operator of this instance:"),
        "",
        Text(operator.url),
        "",
        Text(f"The link works once and expires {ago(operator.expires_at)}. To show it again:"),
        Text(f"  {command} operator-link"),
        "",
    ]


def test_keys(project: FirstProject) -> list[RenderableType]:
    facts = {
        "Publishable key": project.publishable_key,
        "Secret key": project.secret_key,
        "Project": project.project.id,
    }
    return [Text(f"To try the API, use the test keys of {project.project.name}:"), "", KeyValueTable(facts), ""]


def first_call(settings: Settings, project: FirstProject) -> list[RenderableType]:
    call = (
        f"  curl -X POST {local_url(settings)}/api/data \\\n"
        f"    -H 'Authorization: Bearer {project.secret_key}' \\\n"
        "    -H 'X-User-Id: ada'"
    )
    return [Text("Count a call of the user ada:"), "", Text(call), ""]


def local_url(settings: Settings) -> str:
    """The URL of the server on this machine."""
    host = settings.host
    try:
        address = ip_address(host)
        if address.is_unspecified:
            host = "127.0.0.1" if address.version == 4 else "::1"  # noqa: PLR2004 - the Internet Protocol's
    except ValueError:
        pass  # a name
    return settings.model_copy(update={"host": host, "public_url": None}).link_base
