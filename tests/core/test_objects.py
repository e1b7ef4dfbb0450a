"""Object stores: local files and S3 behave the same."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from dream_api.core.errors import StorageUnavailable
from dream_api.core.objects import NoSuchObject, ObjectStore, open_object_store
from dream_api.core.settings import Settings

pytestmark = pytest.mark.both


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["local", "s3"])
async def objects(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    if request.param == "local":
        return open_object_store(Settings(data=tmp_path))
    endpoint = request.getfixturevalue("s3_endpoint")
    told = {"endpoint_url": endpoint, "region_name": "us-east-1"}
    client = boto3.client("s3", aws_access_key_id="id", aws_secret_access_key="secret", **told)
    client.create_bucket(Bucket="files")
    client.close()
    return open_object_store(
        Settings(data=tmp_path, s3_bucket="files", s3_endpoint=endpoint, s3_key_id="id", s3_secret="secret")
    )


async def whole(pieces: AsyncIterator[bytes]) -> bytes:
    return b"".join([piece async for piece in pieces])


async def test_what_was_put_is_read_whole_and_in_part(objects: ObjectStore) -> None:
    content = os.urandom(700_000)
    await objects.put("assets/plt_1/a", content)
    await objects.put("assets/plt_1/b", b"other")

    assert await whole(await objects.read("assets/plt_1/a", 0, len(content))) == content
    assert await whole(await objects.read("assets/plt_1/a", 5, 9)) == content[5:9]
    assert await whole(await objects.read("assets/plt_1/a", len(content) - 1, len(content))) == content[-1:]


async def test_what_is_put_again_is_replaced_and_what_is_deleted_is_gone(objects: ObjectStore) -> None:
    await objects.put("a", b"one")
    await objects.put("a", b"other")
    assert await whole(await objects.read("a", 0, 5)) == b"other"

    for _ in range(2):
        await objects.delete("a")
    with pytest.raises(NoSuchObject):
        await objects.read("a", 0, 1)


async def test_all_below_a_path_is_deleted_and_nothing_beside_it(objects: ObjectStore) -> None:
    for name in range(60):
        await objects.put(f"assets/plt_1/{name}", b"x")
    await objects.put("assets/plt_12/a", b"other")

    for _ in range(2):
        await objects.delete_below("assets/plt_1")

    assert await whole(await objects.read("assets/plt_12/a", 0, 5)) == b"other"
    for name in range(60):
        with pytest.raises(NoSuchObject):
            await objects.read(f"assets/plt_1/{name}", 0, 1)


async def test_a_path_leads_nowhere_else(objects: ObjectStore) -> None:
    for path in ("", "../a", "a/../b", "/etc/passwd", "a//b", "A", "a\x00", "a/", "a%2fb", ".a", "a.b"):
        with pytest.raises(ValueError, match="not a path"):
            await objects.put(path, b"x")
        with pytest.raises(ValueError, match="not a path"):
            await objects.read(path, 0, 1)


async def test_a_store_that_does_not_answer_is_said_to_be(tmp_path: Path) -> None:
    told = {"s3_bucket": "files", "s3_endpoint": "http://127.0.0.1:1", "s3_key_id": "id", "s3_secret": "secret"}
    objects = open_object_store(Settings(data=tmp_path, **told))

    with pytest.raises(StorageUnavailable):
        await objects.put("a", b"x")
