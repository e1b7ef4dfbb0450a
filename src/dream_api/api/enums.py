"""Names of enums in the OpenAPI document, for those that the command line knows by their values alone."""

from typing_extensions import TypeAliasType

from dream_api import accounts, platforms

Mode = TypeAliasType("Mode", platforms.Mode)
ProjectType = TypeAliasType("ProjectType", platforms.ProjectType)
Role = TypeAliasType("Role", accounts.Role)
