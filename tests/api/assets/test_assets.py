"""Files go in, and come out as what they are: harmless, unchanging, to whoever has the key."""

import asyncio
import hashlib
import tempfile
import time
import tracemalloc
from collections.abc import AsyncIterator

import pytest
from httpx2 import AsyncClient

from dream_api import audit
from dream_api.api.assets.multipart import read_form_file
from dream_api.assets import Upload, sniff_content_type
from dream_api.core.errors import MalformedRequest
from dream_api.core.settings import Settings
from tests.support.busy_loop import BusyLoop
from tests.support.cases import each_case
from tests.support.instance import Account, Cast, Instance, open_instance

FORM = "multipart/form-data; boundary=x"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
ASVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


async def keep(api: AsyncClient, headers: dict[str, str], content: bytes = PNG, name: str = "mug.png") -> str:
    answer = await api.post("/api/assets", headers=headers, params={"name": name}, content=content)
    assert answer.status_code == 201, answer.text
    return answer.json()["key"]


async def test_a_file_comes_back_as_it_was(api: AsyncClient, alice: Account) -> None:
    kept = await api.post("/api/assets?name=a/b/mug.png", headers=alice.sk, content=PNG)
    got = await api.get(f"/api/assets/{kept.json()['key']}")

    told = kept.json()
    assert (told["contentType"], told["size"], told["name"]) == ("image/png", len(PNG), "mug.png")
    assert told["url"].endswith(f"/api/assets/{told['key']}")
    assert (got.status_code, got.content) == (200, PNG)
    assert got.headers["content-type"] == "image/png"
    assert got.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert got.headers["etag"] == f'"{hashlib.sha256(PNG).hexdigest()}"'
    assert got.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-disposition"] == "inline; filename*=UTF-8''mug.png"


async def test_a_form_sends_its_first_file(api: AsyncClient, alice: Account) -> None:
    name = 'ev"il/../\u202egnp.png'
    content = PNG + b"\r\n--almost a boundary\r\n"

    answer = await api.post(
        "/upload-asset", headers=alice.by("member"), data={"title": "Mug"}, files={"file": (name, content)}
    )

    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == "gnp.png"
    assert (await api.get(f"/api/assets/{answer.json()['key']}")).content == content


async def test_who_sells_uploads_and_nobody_else(api: AsyncClient, alice: Account) -> None:
    told = [
        (await api.post(path, headers=headers, content=PNG)).status_code
        for path in ("/upload-asset", "/api/assets")
        for headers in (alice.by("viewer"), {"X-Publishable-Key": alice.publishable["test"]}, {}, alice.by("member"))
    ]

    assert told == [403, 401, 401, 201] * 2


@each_case(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (b"GIF89a/*<script>alert(1)</script>*/", "image/gif"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"\0\0\0\x1cftypavif", "image/avif"),
        (b"\0\0\0\x1cftypisom", "video/mp4"),
        (b"%PDF-1.7", "application/pdf"),
        (b"PK\x03\x04", "application/zip"),
        ("Grüße,\nAda: 1 < 2".encode(), "text/plain; charset=utf-8"),
        (b"<!DOCTYPE html><p>", "application/octet-stream"),
        (b" \n\xef\xbb\xbf<script>alert(1)</script>", "application/octet-stream"),
        (b"hello <img src=x onerror=alert(1)>", "application/octet-stream"),
        (ASVG, "application/octet-stream"),
        ("<html>".encode("utf-16"), "application/octet-stream"),
        (b"RIFF\0\0\0\0ACON<script>", "application/octet-stream"),
        (b"MZ\x90\0", "application/octet-stream"),
        (b"text\x1b[31m", "application/octet-stream"),
    ],
)
def test_the_bytes_tell_what_a_file_is(content: bytes, kind: str) -> None:
    assert sniff_content_type(content) == kind


async def test_what_could_run_script_is_only_saved(api: AsyncClient, alice: Account) -> None:
    headers = {**alice.sk, "Content-Type": "image/svg+xml"}
    answer = await api.post("/api/assets?name=x.svg", headers=headers, content=ASVG)
    got = await api.get(answer.json()["url"].partition("8787")[2])

    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["content-disposition"].startswith("attachment;")


@each_case(
    ("asked", "status", "told", "part"),
    [
        ("bytes=0-3", 206, "bytes 0-3/2056", PNG[:4]),
        ("bytes=2050-", 206, "bytes 2050-2055/2056", PNG[2050:]),
        ("bytes=-6", 206, "bytes 2050-2055/2056", PNG[-6:]),
        ("bytes=-9999", 206, "bytes 0-2055/2056", PNG),
        ("bytes=2000-9999", 206, "bytes 2000-2055/2056", PNG[2000:]),
        ("bytes=2056-", 416, "bytes */2056", None),
        ("bytes=-0", 416, "bytes */2056", None),
        ("bytes=5-2", 200, None, PNG),
        ("bytes=0-1,5-6", 200, None, PNG),
        ("lines=1-2", 200, None, PNG),
        ("bytes=-", 200, None, PNG),
    ],
)
async def test_a_part_is_answered(
    api: AsyncClient, alice: Account, asked: str, status: int, told: str | None, part: bytes | None
) -> None:
    got = await api.get(f"/api/assets/{await keep(api, alice.sk)}", headers={"Range": asked})

    assert (got.status_code, got.headers.get("content-range")) == (status, told)
    assert part is None or got.content == part
    assert part is None or got.headers["content-length"] == str(len(part))


async def test_a_browser_that_has_it_is_not_sent_it_again(api: AsyncClient, alice: Account) -> None:
    path = f"/api/assets/{await keep(api, alice.sk)}"
    tag = (await api.head(path)).headers["etag"]

    known = await api.get(path, headers={"If-None-Match": f'"x", W/{tag}'})
    resumed = await api.get(path, headers={"Range": "bytes=0-0", "If-Range": tag})
    another = await api.get(path, headers={"Range": "bytes=0-0", "If-Range": '"x"'})

    assert (known.status_code, known.content) == (304, b"")
    assert [resumed.status_code, another.status_code] == [206, 200]


async def test_what_is_too_large_is_told_the_bound(api: AsyncClient, alice: Account, instance: Instance) -> None:
    limit = instance.settings.asset_limit

    whole = await api.post("/api/assets", headers=alice.sk, content=bytes(limit + 1))
    largest = await api.post("/api/assets", headers=alice.sk, content=bytes(limit))
    form = await api.post("/api/assets", headers=alice.sk, files={"file": ("a", bytes(limit + 30_000))})

    assert largest.status_code == 201
    for answer in (whole, form):
        assert (answer.status_code, answer.json()["code"]) == (413, "asset_too_large")
        assert f"{limit:,}" in answer.json()["error"]


async def test_there_must_be_a_file(api: AsyncClient, alice: Account) -> None:
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    odd = [
        await api.post("/api/assets", headers=alice.sk),
        await api.post("/api/assets", headers=alice.sk, files={"file": ("a", b"")}),
        await api.post("/api/assets", headers={**alice.sk, **form}, content=b"no parts at all"),
        await api.post("/api/assets", headers={**alice.sk, **form}, content=b"--x\r\nno head"),
        await api.post(
            "/api/assets", headers={**alice.sk, "Content-Type": "multipart/form-data"}, content=b"no boundary"
        ),
    ]

    assert [answer.json()["code"] for answer in odd] == [
        "validation_failed",
        "validation_failed",
        "malformed_request",
        "malformed_request",
        "malformed_request",
    ]


@pytest.mark.parametrize("numbered", ["{0}*=a; {0}*0=b", "{0}*" + "1" * 5_000 + "=a"])
async def test_parts_that_are_numbered_oddly_are_no_form(api: AsyncClient, alice: Account, numbered: str) -> None:
    named = f"--x\r\nContent-Disposition: form-data; {numbered.format('filename')}\r\n\r\nfile\r\n--x--"
    for kind, body in (("boundary=x", named), (numbered.format("boundary"), "")):
        headers = {**alice.sk, "Content-Type": f"multipart/form-data; {kind}"}
        answer = await api.post("/api/assets", headers=headers, content=body.encode())
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")


def _form(*heads: str) -> bytes:
    return "".join(f"--x\r\n{head}\r\n\r\nvalue\r\n" for head in heads).encode() + b"--x--\r\n"


def _form_with(content: bytes, head: bytes = b'name="file"; filename="b"') -> bytes:
    return b"--x\r\nContent-Disposition: form-data; %b\r\n\r\n%b\r\n--x--\r\n" % (head, content)


async def parsed(body: bytes, content_type: str = FORM, chunk_size: int = 65_536) -> Upload:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), chunk_size):
            yield body[start : start + chunk_size]

    return await read_form_file(content_type, chunks())


async def test_a_form_has_at_most_twenty_fields_around_its_file() -> None:
    field, file = ("Content-Disposition: form-data; name=a" + end for end in ("", "; filename=b"))

    assert (await parsed(_form(*[field] * 20, file))).name == "b"
    assert await parsed(_form(*[field] * 20)) == Upload(b"", "")
    for heads in ([*[field] * 21, file], [file, *[field] * 21], [file] * 21):
        with pytest.raises(MalformedRequest, match=r"number of (fields|files) is 20"):
            await parsed(_form(*heads))


@pytest.mark.parametrize("odd", [';"' + ";" * 60_000, ';a="' + '\\";' * 20_000, ";" * 60_000])
async def test_a_form_is_refused_fast_whose_headers_are_slow_to_read(odd: str) -> None:
    began = time.process_time()

    for kind, heads in (
        (FORM + odd, []),
        (FORM, ["Content-Disposition: form-data" + odd[:8_000]] * 1_000),
        (FORM, ["Content-Disposition: form-data" + odd[:990]] * 10_000),
        (FORM, ["Content-Disposition: form-data; name=a" + odd[:4_000]] * 1_000),
    ):
        with pytest.raises(MalformedRequest):
            await parsed(_form(*heads), kind)

    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("nearly", [b"\r\n--xa", b"\r\n--x-a", b"\r\n--x\ra", b"\r\n-", b"\r", b"a"])
async def test_a_file_full_of_near_boundaries_stops_nobody(nearly: bytes) -> None:
    """The event loop is free again after milliseconds, and twice the bytes take about twice the time."""
    seconds: list[float] = []
    for size in (500_000, 1_000_000):
        content = nearly * (size // len(nearly))
        busy, began = BusyLoop(), time.thread_time()
        watching = asyncio.create_task(busy.watch())
        assert (await parsed(_form_with(content), chunk_size=1_000_000)).content == content
        watching.cancel()
        seconds.append(time.thread_time() - began)
        assert busy.longest < 0.05

    assert seconds[1] < 3 * seconds[0] + 0.05


async def test_a_file_may_arrive_in_any_pieces() -> None:
    content = PNG + b"\r\n--xy\r\n--x-\r\n--"
    for size in (1, 2, 3, 7, 64):
        assert await parsed(_form_with(content), chunk_size=size) == Upload(content, "b")


async def test_a_large_form_is_kept_in_memory_once_and_needs_no_temporary_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the file system cannot be written."""
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    piece, pieces = bytes(65_536), 160

    async def chunks() -> AsyncIterator[bytes]:
        yield _form_with(b"").removesuffix(b"\r\n--x--\r\n")
        for _ in range(pieces):
            yield piece
        yield b"\r\n--x--\r\n"

    tracemalloc.start()
    try:
        upload = await read_form_file(FORM, chunks())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert len(upload.content) == pieces * len(piece)
    assert peak < 2.5 * len(upload.content)


@pytest.mark.parametrize("charset", ["punycode", "undefined", "utf-16", "idna", "nobody-knows"])
async def test_a_form_cannot_choose_a_codec(charset: str) -> None:
    head = 'name="file"; filename="Grüße.png"'.encode()

    assert (await parsed(_form_with(PNG, head), f"{FORM}; charset={charset}")).name == "Grüße.png"


@pytest.mark.parametrize("boundary", ["", '""', "x" * 71, '"x "', "ü", '"x\\"y"', '"x;y"'])
async def test_a_boundary_consists_of_what_boundaries_may(boundary: str) -> None:
    with pytest.raises(MalformedRequest, match="boundary"):
        await parsed(_form_with(PNG), f"multipart/form-data; boundary={boundary}")


async def test_a_form_that_was_cut_off_is_not_stored(api: AsyncClient, alice: Account) -> None:
    cut = _form_with(PNG)[:-20]

    answer = await api.post("/api/assets", headers={**alice.sk, "Content-Type": FORM}, content=cut)

    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_request")
    assert (await api.get("/api/assets", headers=alice.sk)).json()["data"] == []


async def test_a_form_that_is_sent_again_with_its_key_is_one_file(api: AsyncClient, alice: Account) -> None:
    """Its boundary is another one each time."""
    headers = alice.sk | {"Idempotency-Key": "form"}

    first, again, renamed, other = [
        await api.post("/api/assets", headers=headers, files={"file": file})
        for file in (("a", PNG), ("a", PNG), ("b", PNG), ("a", b"GIF89a"))
    ]

    assert first.json()["key"] == again.json()["key"]
    assert again.headers["idempotent-replayed"] == "true"
    assert {answer.json()["code"] for answer in (renamed, other)} == {"idempotency_mismatch"}


@each_case("key", ["..%2f..%2finstance.key", "../../instance.key", "..", "%2e%2e", "a%00b", "x" * 65, "0" * 49, "%ff"])
async def test_a_key_leads_nowhere_else(api: AsyncClient, alice: Account, key: str) -> None:
    await keep(api, alice.sk)

    answer = await api.get(f"/api/assets/{key}")

    assert answer.status_code == 404
    assert b"instance" not in answer.content


async def test_one_key_of_idempotency_is_one_file(instance: Instance, alice: Account, charlie: Account) -> None:
    once = {"Idempotency-Key": "1"}

    first, again = [await keep(instance.api, alice.sk | once) for _ in range(2)]
    his = await keep(instance.api, charlie.sk | once)
    other = await instance.api.post("/api/assets", headers=alice.sk | once, content=b"GIF89a")

    assert first == again != his
    assert first[:32] != his[:32]
    assert other.json()["code"] == "idempotency_mismatch"
    kept = [path.parent.name for path in (instance.settings.data / "objects").rglob("*-*")]
    assert sorted(kept) == sorted([alice.project.platform_id, charlie.project.platform_id])


async def test_files_are_listed_newest_first_page_by_page(instance: Instance, alice: Account) -> None:
    keys = [await keep(instance.api, alice.sk, b"GIF89a" + bytes([at]), f"{at}.gif") for at in range(5)]
    await keep(instance.api, alice.live)

    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        answer = await instance.api.get("/api/assets", headers=alice.by("viewer"), params={"limit": "2", **after})
        seen += [one["name"] for one in answer.json()["data"]]
        if answer.json()["nextCursor"] is None:
            break
        after = {"after": answer.json()["nextCursor"]}
        gone = answer.json()["data"][-1]["key"]
        assert (await instance.api.delete(f"/api/assets/{gone}", headers=alice.sk)).status_code == 200

    assert seen == [f"{at}.gif" for at in reversed(range(5))]
    left = (await instance.api.get("/api/assets", headers=alice.sk)).json()["data"]
    assert [one["key"] for one in left] == [keys[4], keys[2], keys[0]]
    assert (await instance.api.get("/api/assets", headers=alice.sk, params={"after": "x"})).status_code == 422


async def test_a_deleted_file_is_gone_for_everybody(instance: Instance, alice: Account, charlie: Account) -> None:
    key = await keep(instance.api, alice.sk)
    path = f"/api/assets/{key}"

    for others in (charlie.sk, alice.live, charlie.by("owner")):
        refused = await instance.api.delete(path, headers=others)
        assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert (await instance.api.delete(path, headers=alice.by("viewer"))).status_code == 403
    assert (await instance.api.delete(path)).status_code == 401
    assert (await instance.api.get(path)).status_code == 200
    at_once = await asyncio.gather(*(instance.api.delete(path, headers=alice.by("member")) for _ in range(3)))

    assert sorted(one.status_code for one in at_once) == [200, 404, 404]
    assert (await instance.api.get(path)).status_code == 404
    assert (await instance.api.head(path)).status_code == 404
    assert list((instance.settings.data / "objects").rglob(key)) == []
    async with instance.database.read() as tx:
        [entry] = await audit.list_entries(tx, alice.project.log_stream, limit=9, action="asset.deleted")
    assert (entry.about, entry.details["file"], entry.by.id) == (key, "mug.png", alice.token_ids["member"])


async def test_the_files_of_a_platform_take_so_much_and_no_more(database_settings: Settings, cast: Cast) -> None:
    settings = database_settings.model_copy(update={"asset_quota": 3_000})
    async with open_instance(settings, cast=cast) as instance:
        alice, charlie = instance.alice, instance.charlie
        key = await keep(instance.api, alice.live, bytes(1_001))
        answers = await asyncio.gather(
            *(instance.api.post("/api/assets", headers=alice.sk, content=bytes(1_000)) for _ in range(4))
        )

        refused = [answer.json() for answer in answers if answer.status_code != 201]
        assert [one["code"] for one in refused] == ["storage_full"] * 3
        assert "3,000 bytes" in refused[0]["error"]
        assert len(list((settings.data / "objects").rglob("*-*"))) == 2
        await keep(instance.api, charlie.sk, bytes(3_000))
        await instance.api.delete(f"/api/assets/{key}", headers=alice.live)
        await keep(instance.api, alice.sk, bytes(2_000))
