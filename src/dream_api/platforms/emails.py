"""What the room writes to people."""

from dream_api.core.mail import EmailMessage, EmailTemplates

_letters = EmailTemplates("dream_api.platforms")


def invitation(to: str, *, platform: str, role: str, invited_by: str, link_base: str, token: str) -> EmailMessage:
    """With the one link by which it is accepted."""
    link = f"{link_base}/account/invitation/{token}"
    return _letters.write("invitation", to=to, platform=platform, role=role, invited_by=invited_by, link=link)
