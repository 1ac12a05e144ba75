"""Encryption of secrets: what is changed, or meant for something else, is not decrypted."""

import base64
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.encryption_keys import (
    EncryptionKeys,
    EncryptionKeysUnusable,
    Undecipherable,
    create_encryption_keys,
    load_encryption_keys,
)
from shared.secret_files import SecretUnusable

A_KEY = st.binary(min_size=32, max_size=32)
OLD, NEW = b"o" * 32, b"n" * 32
VARIABLE = "CADASTRE_ENCRYPTION_KEY"


def encoded(*keys: bytes) -> str:
    return "\n".join(base64.b64encode(key).decode() for key in keys) + "\n"


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


@given(A_KEY, st.binary(), st.text(max_size=20))
def test_what_was_encrypted_is_read_again(key: bytes, plain: bytes, name: str) -> None:
    keys = EncryptionKeys([key])
    encrypted = keys.encrypt(plain, bound_to=name)
    assert keys.decrypt(encrypted, bound_to=name) == plain
    assert len(plain) < 4 or plain not in encrypted


@given(A_KEY, st.binary(min_size=1))
def test_the_same_is_never_encrypted_alike_twice(key: bytes, plain: bytes) -> None:
    keys = EncryptionKeys([key])
    assert keys.encrypt(plain, bound_to="x") != keys.encrypt(plain, bound_to="x")


@given(A_KEY, st.binary(), st.data())
def test_one_changed_bit_is_noticed(key: bytes, plain: bytes, data: st.DataObject) -> None:
    keys = EncryptionKeys([key])
    encrypted = bytearray(keys.encrypt(plain, bound_to="x"))
    bit = data.draw(st.integers(0, 8 * len(encrypted) - 1))
    encrypted[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Undecipherable):
        keys.decrypt(bytes(encrypted), bound_to="x")


@given(A_KEY, st.binary(), st.data())
def test_a_part_is_nothing(key: bytes, plain: bytes, data: st.DataObject) -> None:
    keys = EncryptionKeys([key])
    encrypted = keys.encrypt(plain, bound_to="x")
    length = data.draw(st.integers(0, len(encrypted) - 1))
    with pytest.raises(Undecipherable):
        keys.decrypt(encrypted[:length], bound_to="x")


def test_what_belongs_to_one_key_is_no_others_secret() -> None:
    keys = EncryptionKeys([NEW])
    encrypted = keys.encrypt(b"secret", bound_to="AKIA1")
    with pytest.raises(Undecipherable):
        keys.decrypt(encrypted, bound_to="AKIA2")


def test_another_key_reads_nothing() -> None:
    encrypted = EncryptionKeys([OLD]).encrypt(b"secret", bound_to="x")
    with pytest.raises(Undecipherable):
        EncryptionKeys([NEW]).decrypt(encrypted, bound_to="x")


def test_a_key_is_replaced_without_losing_what_the_old_one_encrypted() -> None:
    before, between, after = (
        EncryptionKeys([OLD]),
        EncryptionKeys([NEW, OLD]),
        EncryptionKeys([NEW]),
    )
    old = before.encrypt(b"secret", bound_to="x")
    assert between.decrypt(old, bound_to="x") == b"secret"
    assert not between.are_current_for(old, bound_to="x")
    new = between.encrypt(b"secret", bound_to="x")
    assert between.are_current_for(new, bound_to="x")
    assert after.decrypt(new, bound_to="x") == b"secret"


def test_a_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "identity" / "encryption-key"
    encrypted = create_encryption_keys(path).encrypt(b"secret", bound_to="x")
    assert create_encryption_keys(path).decrypt(encrypted, bound_to="x") == b"secret"
    assert load_encryption_keys(path).decrypt(encrypted, bound_to="x") == b"secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == ["encryption-key"]


def test_the_environment_takes_the_files_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, encoded(NEW, OLD))
    path = tmp_path / "none"
    keys = create_encryption_keys(path)
    assert not path.exists()
    assert keys.are_current_for(EncryptionKeys([NEW]).encrypt(b"", bound_to="x"), bound_to="x")
    keys.decrypt(EncryptionKeys([OLD]).encrypt(b"", bound_to="x"), bound_to="x")


def test_of_several_lines_the_first_encrypts_and_all_decrypt(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.touch(mode=0o600)
    path.write_text(encoded(NEW) + "\n" + encoded(OLD))
    keys = load_encryption_keys(path)
    assert EncryptionKeys([NEW]).decrypt(keys.encrypt(b"s", bound_to="x"), bound_to="x") == b"s"
    old = EncryptionKeys([OLD]).encrypt(b"s", bound_to="x")
    assert keys.decrypt(old, bound_to="x") == b"s"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param("\n", "32 random bytes", id="nothing"),
        pytest.param("c2hvcnQ=", "32 random bytes", id="too short"),
        pytest.param(encoded(b"x" * 33), "32 random bytes", id="too long"),
        pytest.param(encoded(NEW) + "c2hvcnQ=", "32 random bytes", id="one of two too short"),
        pytest.param("n0t*base64!", "is not base64", id="no base64"),
        pytest.param("schl\u00fcssel", "is not base64", id="no ASCII"),
    ],
)
@pytest.mark.parametrize("where", ["file", "environment"])
def test_what_is_no_key_is_refused_without_being_quoted(
    content: str, says: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "keys"
    path.touch(mode=0o600)
    if where == "environment":
        monkeypatch.setenv(VARIABLE, content)
    else:
        path.write_text(content)
    with pytest.raises(EncryptionKeysUnusable, match=says) as refusal:
        load_encryption_keys(path)
    quoted = f"{refusal.value!r} {refusal.value.__cause__!r}"
    assert not any(line in quoted for line in content.split())


@pytest.mark.parametrize(("mode", "says"), [(0o640, "chmod 600"), (None, "can't be read")])
def test_a_file_is_its_owners_alone(mode: int | None, says: str, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    if mode:
        path.write_text(encoded(NEW))
        path.chmod(mode)
    with pytest.raises(SecretUnusable, match=says):
        load_encryption_keys(path)


def test_keys_are_not_shown() -> None:
    assert "nnn" not in repr(EncryptionKeys([NEW]))
    assert "nnn" not in repr(vars(EncryptionKeys([NEW])))
