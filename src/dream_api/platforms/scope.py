"""Project scope: a project in one mode."""

from dataclasses import dataclass

from dream_api.platforms import Mode


@dataclass(frozen=True, slots=True)
class ProjectScope:
    """A project and mode: the boundary inside which a user id names one customer."""

    platform_no: int
    project_id: str
    mode: Mode

    def name_of(self, user_id: str) -> str:
        """The cache key of the customer."""
        return f"{self.project_id}:{self.mode}:{user_id}"
