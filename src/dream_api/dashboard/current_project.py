"""The current project of the navigation, also on pages of its platform."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs

from fastapi import Request

from dream_api.platforms import MODES, Mode, Project

# In the address of a platform's page: the project and mode that somebody came from, as `prj_…:live`.
_PARAM = "project"


@dataclass(frozen=True, slots=True)
class CurrentProject:
    """The project and mode that a page is in, or that somebody came from."""

    project: Project
    mode: Mode

    @property
    def url(self) -> str:
        return f"/dashboard/{self.project.id}/{self.mode}"

    def return_query(self, projects: Sequence[Project]) -> str:
        """What the links to pages of the platform end with; nothing where they would come to it by themselves."""
        return "" if self == _first(projects) else f"?{_PARAM}={self.project.id}:{self.mode}"


def find_current_project(request: Request, projects: Sequence[Project]) -> CurrentProject | None:
    """What the address says, or that of the page before; else the first of the projects, in test mode."""
    before = parse_qs(request.headers.get("referer", "").partition("?")[2])
    asked = request.query_params.get(_PARAM) or before.get(_PARAM, [""])[0]
    project_id, _, asked_mode = asked.partition(":")
    for project in projects:
        for mode in MODES:
            if (project.id, mode) == (project_id, asked_mode):
                return CurrentProject(project, mode)
    return _first(projects)


def _first(projects: Sequence[Project]) -> CurrentProject | None:
    return CurrentProject(projects[0], "test") if projects else None
