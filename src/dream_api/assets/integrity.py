"""Integrity checks of files, for `doctor`."""

from dream_api.core.integrity import IntegrityCheck
from dream_api.platforms.integrity import rows_without_project


def checks() -> list[IntegrityCheck]:
    return [
        IntegrityCheck(
            "files_have_projects",
            "Each uploaded file belongs to a project.",
            rows_without_project("assets", "key"),
        )
    ]
