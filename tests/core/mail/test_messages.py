"""Emails are rendered from templates, and their values are escaped."""

import pytest
from jinja2 import UndefinedError

from dream_api.core.mail import EmailTemplates

LETTERS = EmailTemplates("tests.core.mail")
URL = "http://dream.test/account/invitation/t?a=1&b=2"


def test_a_letter_has_a_subject_a_text_and_html() -> None:
    letter = LETTERS.write("hello", to="bob@example.com", inviter="Ada & co", platform="Acme", url=URL)

    assert (letter.to, letter.subject) == ("bob@example.com", "Ada & co invites you to Acme")
    assert letter.text == f"Join Acme here:\n\n{URL}\n"
    assert "<p>Ada &amp; co invites you.</p>" in letter.html
    assert 'href="http://dream.test/account/invitation/t?a=1&amp;b=2"' in letter.html
    assert "It works for seven days." in letter.html


def test_a_name_begins_no_header_and_no_tag() -> None:
    name = "Ada\r\nBcc: eve@example.com\n\n<script>alert(1)</script>"

    letter = LETTERS.write("hello", to="bob@example.com", inviter=name, platform="Acme", url=URL)

    assert letter.subject == "Ada Bcc: eve@example.com <script>alert(1)</script> invites you to Acme"
    assert "<script>" not in letter.html
    assert "Bcc" not in letter.text


def test_what_is_not_told_is_noticed() -> None:
    with pytest.raises(UndefinedError, match="platform"):
        LETTERS.write("hello", to="bob@example.com", inviter="Ada", url=URL)
