"""The pages of a platform: its team, its level, its settings; and the one on which somebody joins."""

from dream_api.platforms.views import invitation, level, settings, team

ROUTERS = (invitation.router, team.router, settings.router, level.router)
