"""Endpoints of platforms, their projects and their teams."""

from dream_api.api.platforms import create, projects, team

ROUTERS = (create.router, projects.router, team.router)
