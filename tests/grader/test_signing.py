"""The key that signs certificates: its owner's alone, never written over, and nothing else taken for one."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from grader.errors import CourseError
from grader.signing import PrivateKey, fingerprint, key_file, make_key, read_key, read_public

KEY = PrivateKey.generate()


def test_the_key_is_its_owner_s_alone_and_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "deep" / "signing.key"
    public = make_key(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    before = file.read_bytes()
    public.unlink()
    assert make_key(file) == public
    assert file.read_bytes() == before
    assert fingerprint(read_public(public)) == fingerprint(read_key(file).public_key())
    assert [path.name for path in sorted(file.parent.iterdir())] == ["signing.key", "signing.pub"]


def test_of_two_who_make_a_key_at_once_both_mean_the_first(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: make_key(tmp_path / "signing.key"), range(8)))
    assert {fingerprint(read_public(public)) for public in made} == {
        fingerprint(read_key(tmp_path / "signing.key").public_key())
    }
    assert len(list(tmp_path.iterdir())) == 2


def test_a_key_that_others_can_read_signs_nothing(tmp_path: Path) -> None:
    file = tmp_path / "signing.key"
    make_key(file)
    for mode in (0o640, 0o604, 0o644, 0o660):
        file.chmod(mode)
        with pytest.raises(
            CourseError, match=rf"is open to others on this machine \(mode {mode:o}\); who has"
        ):
            read_key(file)
    file.chmod(0o400)
    assert read_key(file)


def test_what_is_no_key_is_refused_by_name(tmp_path: Path) -> None:
    file = tmp_path / "signing.key"
    with pytest.raises(
        CourseError, match=r"There is no signing key at .*signing\.key\. Make one with `grader c"
    ):
        read_key(file)
    pem, pkcs = forms.Encoding.PEM, forms.PrivateFormat.PKCS8
    other = X25519PrivateKey.generate()
    locked = KEY.private_bytes(pem, pkcs, forms.BestAvailableEncryption(b"word"))
    for content, said in (
        (b"not a key", "holds no private Ed25519 key in PEM"),
        (other.private_bytes(pem, pkcs, forms.NoEncryption()), "holds no private Ed25519 key in PEM"),
        (locked, "is locked with a passphrase, which `grader` does not ask for"),
    ):
        file.write_bytes(content)
        file.chmod(0o600)
        with pytest.raises(CourseError, match=said):
            read_key(file)
    for content in (b"", KEY.private_bytes(pem, pkcs, forms.NoEncryption())):
        file.write_bytes(content)
        with pytest.raises(
            CourseError, match=r"holds no public Ed25519 key in PEM\. Name the `signing\.pub`"
        ):
            read_public(file)
    with pytest.raises(CourseError, match=r"cannot be read \(No such file or directory\)\. Name the signer"):
        read_public(tmp_path / "none.pub")
    with pytest.raises(CourseError, match=r"cannot be read \(Is a directory\)\. Mend that"):
        read_key(tmp_path)
    for name in ("id.pub", "id"):  # a key of another program lies there
        (tmp_path / "id.pub").write_text("ssh-ed25519 AAAA")
        with pytest.raises(CourseError, match=r"id\.pub is for another key's public half\. Name another"):
            make_key(tmp_path / name)
        assert (tmp_path / "id.pub").read_text() == "ssh-ed25519 AAAA"
        (tmp_path / "id.pub").unlink()
    (tmp_path / "file").write_text("")
    with pytest.raises(CourseError, match=r"cannot be written \(.+\)\. Mend that, or name another place"):
        make_key(tmp_path / "file" / "signing.key")


def test_a_key_lies_in_the_owner_s_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert key_file() == tmp_path / "grader" / "signing.key"
    monkeypatch.setenv("XDG_CONFIG_HOME", "not/whole")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert key_file() == tmp_path / ".config" / "grader" / "signing.key"
