"""What developers' programs do with platforms, their projects and their teams."""

from dream_api.platforms.api import founding, projects, team

ROUTERS = (founding.router, projects.router, team.router)
