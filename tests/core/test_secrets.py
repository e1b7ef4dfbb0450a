"""The instance key: what it encrypts can be decrypted for the same row and key only, and its file is created once."""

import base64
import os
import secrets
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from dream_api.core.secrets import (
    DecryptionFailed,
    InstanceKey,
    InstanceKeyMissing,
    InstanceKeyWrong,
    create_instance_key,
    hash_token,
    load_instance_key,
)
from dream_api.core.settings import Settings

KEY = InstanceKey(bytes(range(32)))


@pytest.mark.parametrize("secret", ["sk_test_abc", "", "ü€🙂", "x" * 10_000])
def test_what_is_sealed_opens_for_its_row(secret: str) -> None:
    sealed = KEY.seal(secret, "key_1")

    assert KEY.open(sealed, "key_1") == secret
    assert not secret or secret not in sealed


def test_the_same_secret_is_sealed_differently_each_time_and_tells_the_keys_version() -> None:
    first, second = KEY.seal("secret", "key_1"), KEY.seal("secret", "key_1")

    assert first != second
    assert first.startswith("v1.")


def test_a_sealed_text_does_not_open_for_another_row() -> None:
    with pytest.raises(DecryptionFailed):
        KEY.open(KEY.seal("secret", "key_1"), "key_2")


def test_a_sealed_text_does_not_open_with_another_key() -> None:
    with pytest.raises(DecryptionFailed):
        InstanceKey(bytes(32)).open(KEY.seal("secret", "key_1"), "key_1")


def test_no_altered_byte_goes_unnoticed() -> None:
    sealed = KEY.seal("secret", "key_1")
    raw = base64.urlsafe_b64decode(sealed.removeprefix("v1."))
    for place in range(len(raw)):
        altered = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(DecryptionFailed):
            KEY.open(f"v1.{base64.urlsafe_b64encode(altered).decode()}", "key_1")


@pytest.mark.parametrize(
    "alter",
    [
        lambda sealed: "",
        lambda sealed: "v1.",
        lambda sealed: "v1.AAAA",
        lambda sealed: sealed[:-1],
        lambda sealed: sealed[:20],
        lambda sealed: sealed + "A",
        lambda sealed: sealed[:9] + "!" + sealed[9:],
        lambda sealed: sealed[:9] + "ü" + sealed[10:],
        lambda sealed: "v2" + sealed[2:],
        lambda sealed: sealed[3:],
    ],
)
def test_a_text_that_was_cut_or_written_over_is_told_as_broken(alter) -> None:
    with pytest.raises(DecryptionFailed):
        KEY.open(alter(KEY.seal("a longer secret", "key_1")), "key_1")


def test_a_derived_secret_is_always_the_same_for_its_purpose_and_key() -> None:
    made = KEY.derive("one thing")

    assert made == InstanceKey(bytes(range(32))).derive("one thing")
    assert len({made, KEY.derive("another thing"), InstanceKey(bytes(32)).derive("one thing"), bytes(range(32))}) == 4


def test_the_keys_file_is_made_for_its_owner_alone_and_read_ever_after(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        made = create_instance_key(Settings(data=tmp_path / "data"))
    finally:
        os.umask(before)
    file = tmp_path / "data" / "instance.key"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["instance.key"]
    again = create_instance_key(Settings(data=tmp_path / "data"))
    assert again.open(made.seal("secret", "key_1"), "key_1") == "secret"


def test_processes_that_make_the_file_at_once_have_the_same_key(tmp_path: Path) -> None:
    makes = (
        "import sys; from pathlib import Path\n"
        "from dream_api.core.secrets import create_instance_key\n"
        "from dream_api.core.settings import Settings\n"
        "sys.stdin.readline(); key = create_instance_key(Settings(data=Path(sys.argv[1])))\n"
        "print(key.seal('secret', 'key_1'))"
    )
    making = [
        subprocess.Popen(
            [sys.executable, "-c", makes, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in making:
        assert process.stdin is not None
        process.stdin.write("now\n")
        process.stdin.flush()
    sealed = [process.communicate()[0].strip() for process in making]

    key = load_instance_key(Settings(data=tmp_path))
    assert [key.open(one, "key_1") for one in sealed] == ["secret"] * len(making)
    assert [path.name for path in tmp_path.iterdir()] == ["instance.key"]


def test_the_setting_goes_before_the_file_and_makes_none(tmp_path: Path) -> None:
    told = secrets.token_hex(32)
    key = create_instance_key(Settings(data=tmp_path / "data", instance_key=SecretStr(told)))

    assert InstanceKey.from_hex(told).open(key.seal("secret", "key_1"), "key_1") == "secret"
    assert not (tmp_path / "data").exists()


def test_a_key_that_is_not_there_is_not_created_by_loading_it(tmp_path: Path) -> None:
    with pytest.raises(InstanceKeyMissing, match=r"/data/instance\.key does not exist"):
        load_instance_key(Settings(data=tmp_path / "data"))

    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("text", ["", "ab" * 31, "no key at all"])
def test_a_file_that_holds_no_key_is_named_and_stays_as_it_is(tmp_path: Path, text: str) -> None:
    (tmp_path / "instance.key").write_text(text)

    for read in (load_instance_key, create_instance_key):
        with pytest.raises(InstanceKeyWrong, match="does not contain 64 hexadecimal digits"):
            read(Settings(data=tmp_path))

    assert (tmp_path / "instance.key").read_text() == text


def test_a_fingerprint_identifies_a_key_and_is_not_part_of_it() -> None:
    others = {KEY.fingerprint, InstanceKey(bytes(32)).fingerprint}

    assert KEY.fingerprint == InstanceKey(bytes(range(32))).fingerprint
    assert len(others) == 2
    assert all(len(one) == 16 and one not in bytes(range(32)).hex() for one in others)


@pytest.mark.parametrize("text", ["", "ab", "ab" * 31, "ab" * 33, "zz" * 32])
def test_a_key_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"32 bytes|hexadecimal"):
        InstanceKey.from_hex(text)


def test_a_token_is_stored_as_its_sha_256() -> None:
    assert hash_token("abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
