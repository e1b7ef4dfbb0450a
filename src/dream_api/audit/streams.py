"""Streams of the security log."""

from dataclasses import dataclass

from dream_api.core.db import NO_PLATFORM


@dataclass(frozen=True, slots=True, order=True)
class Stream:
    """The stream of a platform, or of a person for what concerns them alone."""

    # The id of the platform or person (`plt_…`, `usr_…`), which the digests cover.
    name: str
    platform_no: int = NO_PLATFORM

    @property
    def user_id(self) -> str:
        """Empty in the stream of a platform."""
        return self.name if self.platform_no == NO_PLATFORM else ""
