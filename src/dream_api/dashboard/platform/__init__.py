"""Pages of a platform: its projects, team, level and settings; and the one on which somebody joins."""

from dream_api.dashboard.platform import accept_invitation, level, projects, settings, team

ROUTERS = (accept_invitation.router, team.router, settings.router, level.router, projects.router)
