"""Endpoints of platforms, their projects and their teams."""

from dream_api.api.platforms import create, projects, team

ROUTERS = (create.endpoints, projects.endpoints, team.endpoints)
