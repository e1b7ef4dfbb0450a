"""The pages of a platform: its team, its level, its settings; and the one on which somebody joins."""

from dream_api.dashboard.platform import accept_invitation, level, settings, team

ROUTERS = (accept_invitation.router, team.router, settings.router, level.router)
