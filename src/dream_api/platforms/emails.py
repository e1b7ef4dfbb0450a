"""Emails of platforms: the invitation."""

from dream_api.core.mail import EmailMessage, EmailTemplates

_templates = EmailTemplates("dream_api.platforms")


def invitation(to: str, *, platform: str, role: str, invited_by: str, link_base: str, token: str) -> EmailMessage:
    """The invitation email, with the one link that accepts it."""
    link = f"{link_base}/account/invitation/{token}"
    return _templates.write("invitation", to=to, platform=platform, role=role, invited_by=invited_by, link=link)
