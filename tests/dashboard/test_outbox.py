"""The operator reads what was written, and nobody else does."""

from sqlalchemy import text

from dream_api import platforms
from dream_api.accounts import Role
from dream_api.core import mail
from dream_api.core.mail import EmailMessage
from tests.support.instance import Account, Instance


async def join_operators(instance: Instance, account: Account, role: Role = "owner") -> None:
    async with instance.database.write() as tx:
        operator = await platforms.operator_platform(tx)
        await platforms.add_member(tx, operator.no, account.user_ids[role], role)


async def post(instance: Instance, subject: str) -> str:
    async with instance.database.write() as tx:
        return await mail.enqueue_email(
            tx, EmailMessage("bob@example.com", subject, "Open <i>this</i>\n", "<script>x</script>")
        )


async def test_the_operator_reads_the_text_of_a_letter(instance: Instance, alice: Account, charlie: Account) -> None:
    mail_id = await post(instance, "Join <b>us</b>")
    for role in ("owner", "admin"):
        await join_operators(instance, alice, role)
    paths = ["/dashboard/operator/mail", f"/dashboard/operator/mail/{mail_id}"]

    listed, read = [await instance.api.get(path, headers=alice.cookie()) for path in paths]
    admins = await instance.api.get(paths[1], headers=alice.cookie("admin"))
    strangers = [(await instance.api.get(path, headers=charlie.cookie())).status_code for path in paths]
    nobodys = [(await instance.api.get(path)).status_code for path in paths]

    assert "Join &lt;b&gt;us" in listed.text
    assert "bob@example.com" in listed.text
    assert "Open &lt;i&gt;this" in read.text
    assert "<script>x" not in read.text
    assert ("bob@example.com" in admins.text, "Open" in admins.text) == (True, False)
    assert "its links give access to an account" in admins.text
    assert strangers == [404, 404]
    assert nobodys == [303, 303]


async def test_there_are_older_letters_and_ones_that_were_sent(instance: Instance, alice: Account) -> None:
    await join_operators(instance, alice)
    assert "No emails yet" in (await instance.api.get("/dashboard/operator/mail", headers=alice.cookie())).text
    written = [await post(instance, f"Letter {number}.") for number in range(52)]
    async with instance.database.write() as tx:
        sent = text("UPDATE mails SET state = 'sent', sent_at = 1, text = '', html = '' WHERE id = :id")
        await tx.execute(sent, {"id": written[0]})

    first = await instance.api.get("/dashboard/operator/mail", headers=alice.cookie())
    rest = await instance.api.get(f"/dashboard/operator/mail?before={written[2]}", headers=alice.cookie())
    gone = await instance.api.get(f"/dashboard/operator/mail/{written[0]}", headers=alice.cookie())
    never = await instance.api.get("/dashboard/operator/mail/eml_never", headers=alice.cookie())

    assert f"before={written[2]}" in first.text
    assert ["Letter 1." in rest.text, "Letter 2." in rest.text] == [True, False]
    assert "The text is deleted once an email is sent" in gone.text
    assert never.status_code == 404
