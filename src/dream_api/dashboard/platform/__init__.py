"""Pages of a platform: projects, team, level, settings and invitations."""

from dream_api.dashboard.platform import accept_invitation, invitations, level, projects, settings, team

ROUTERS = (accept_invitation.router, invitations.router, team.router, settings.router, level.router, projects.router)
