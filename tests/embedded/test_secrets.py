import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from oversight.embedded import secrets
from oversight.env import ConfigurationError


def test_a_secret_is_made_once_and_then_read(tmp_path: Path) -> None:
    first = secrets.read_or_create(tmp_path, "django-secret-key")
    assert len(first) == 48
    assert secrets.read_or_create(tmp_path, "django-secret-key") == first
    assert secrets.read_or_create(tmp_path, "another") != first


def test_only_the_owner_can_read_secrets(tmp_path: Path) -> None:
    secrets.read_or_create(tmp_path, "password")
    private, _ = secrets.ed25519_key_pair(tmp_path, "worker-key")
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    for path in (secrets.path_of(tmp_path, "password"), private):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_all_who_ask_at_once_get_the_same_secret(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: secrets.read_or_create(tmp_path, "shared"), range(64)))
    assert len(set(answers)) == 1
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["shared"]


@pytest.mark.parametrize("name", ["", "../escape", "a/b", "UPPER", ".hidden", "a-"])
def test_a_name_that_could_leave_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name for a secret"):
        secrets.read_or_create(tmp_path, name)


def test_an_empty_secret_is_refused_and_not_replaced(tmp_path: Path) -> None:
    path = secrets.path_of(tmp_path, "password")
    path.parent.mkdir()
    path.touch()
    with pytest.raises(ConfigurationError, match=f"{path} is empty"):
        secrets.read_or_create(tmp_path, "password")


def test_a_folder_that_cannot_be_used_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    with pytest.raises(ConfigurationError, match=r"(?s)var/secrets/password .*OVERSIGHT_VAR"):
        secrets.read_or_create(tmp_path / "var", "password")


def test_the_public_key_belongs_to_the_private_one(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import (
        load_pem_private_key,
        load_pem_public_key,
    )

    private, public = secrets.ed25519_key_pair(tmp_path, "worker-key")
    signature = load_pem_private_key(private.read_bytes(), None).sign(b"statement")
    load_pem_public_key(public.read_bytes()).verify(signature, b"statement")
    before = private.read_bytes()
    public.unlink()
    assert secrets.ed25519_key_pair(tmp_path, "worker-key") == (private, public)
    assert private.read_bytes() == before
    load_pem_public_key(public.read_bytes()).verify(signature, b"statement")
