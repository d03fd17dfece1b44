"""Tests of the data directory: lock, version, secrets, ports."""

import os
import socket
from pathlib import Path

import pytest

from messenger_local.datadir import VERSION, DataDir, existing_secret, why_not_free
from messenger_local.failure import StackError


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    return DataDir.at(str(tmp_path / "some where" / "data"))


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_directory_is_closed_to_others(data: DataDir) -> None:
    with data.opened():
        assert mode(data.root) == 0o700
        assert (data.root / "version").read_text() == f"{VERSION}\n"


def test_a_relative_directory_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert DataDir.at("here").root == tmp_path / "here"


def test_only_one_stack_uses_a_directory(data: DataDir) -> None:
    with data.opened(), pytest.raises(StackError, match="in use by another"), data.opened():
        pass
    with data.opened():
        pass


@pytest.mark.parametrize(("version", "reason"), [("2", "of version 2, newer"), ("x", "damaged")])
def test_a_directory_of_another_version_is_refused(data: DataDir, version: str, reason: str) -> None:
    with data.opened():
        (data.root / "version").write_text(version)
    with pytest.raises(StackError, match=reason), data.opened():
        pass


def test_a_file_is_no_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match="File exists"), DataDir.at(str(tmp_path / "file")).opened():
        pass


def test_the_secret_is_made_once_of_32_random_bytes_and_is_private(data: DataDir) -> None:
    with pytest.raises(StackError, match="run `messenger up`"):
        existing_secret(data)
    with data.opened():
        secret = data.signing_secret()
        assert len(bytes.fromhex(secret.decode())) == 32
        assert data.signing_secret() == existing_secret(data) == secret
        assert data.secret.read_text() == f"{secret.decode()}\n"
        assert mode(data.secret) == 0o600
        assert data.password("redis") != data.password("postgres") != secret.decode()


def test_a_port_is_kept_as_long_as_it_is_free(data: DataDir) -> None:
    with data.opened():
        port = data.port("redis")
        assert data.port("redis") == port
        assert data.port("postgres") != port
        # As servers do, it takes a port although connections to an earlier server may linger there.
        with socket.create_server(("127.0.0.1", port)):
            assert data.port("redis") != port


@pytest.mark.parametrize("text", ["", "[]", "{", '{"redis": "x"}', '{"redis": 99999}', '{"redis": 0}'])
def test_damaged_ports_are_chosen_anew(data: DataDir, text: str) -> None:
    with data.opened():
        (data.run / "ports.json").write_text(text)
        assert data.port("redis") > 0


def test_why_a_port_cannot_be_had_is_told() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert why_not_free("127.0.0.1", other.getsockname()[1]) == "Address already in use"
    assert why_not_free("no.such.host.invalid", 8080)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StackError, match="Permission denied"), DataDir.at(str(tmp_path / "data")).opened():
        pass
