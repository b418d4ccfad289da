"""An instructor's signature: an Ed25519 key of their own, and what it signs. cryptography's one door.

The private half is a person's and not a class's: it lies outside every class, so no backup of one holds it.
"""

import base64
import binascii
import os
import stat
import tempfile
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey as PublicKey

from grader.classroom import FILE as CLASS
from grader.errors import CourseError
from grader.texts import write_whole

__all__ = [
    "PrivateKey",
    "PublicKey",
    "fingerprint",
    "is_signed",
    "key_file",
    "make_key",
    "public_text",
    "read_key",
    "read_public",
    "signature",
]

MAKE = "Make one with `grader certificate key`"


def key_file() -> Path:
    """Where a person's key is kept when they name no other place."""
    settings = os.environ.get("XDG_CONFIG_HOME", "")
    home = Path(settings) if settings.startswith("/") else Path.home() / ".config"
    return home / "grader" / "signing.key"


def make_key(file: Path) -> Path:
    """Make a key that only its owner may read, unless there is one; where its public half is now.

    Of two that make it at once one is first, and both mean its key. No key is ever written over.

    Raises:
        CourseError: it lies in a class, or cannot be written; or what is there is no such key.
    """
    _refuse_in_class(file)
    public = file.with_name(f"{file.stem}.pub")
    try:
        if file == public or (public.exists() and not file.exists()):  # asked in this order: the key is first
            raise CourseError(
                f"{public} is for another key's public half. Name another place by `--signing-key`."
            )
        if not file.exists():
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_new(file)
        write_whole(public, public_text(read_key(file)))
    except OSError as error:
        raise CourseError(
            f"{error.filename or file} cannot be written ({error.strerror or error}). Mend that, or name "
            "another place with `--signing-key`."
        ) from error
    return public


def read_key(file: Path) -> PrivateKey:
    """The private key in a file.

    Raises:
        CourseError: it is not there, lies in a class, is open to others, or holds no Ed25519 key in PEM.
    """
    _refuse_in_class(file)
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            content = opened.read(10_000)
    except FileNotFoundError as error:
        raise CourseError(
            f"There is no signing key at {file}. {MAKE}, or bring yours back from where you keep it: what a "
            "new key signs does not verify by the old one's public half."
        ) from error
    except OSError as error:
        raise CourseError(f"{file} cannot be read ({error.strerror}). Mend that.") from error
    if mode & 0o077:
        raise CourseError(
            f"{file} is open to others on this machine (mode {mode:o}); who has read it signs in your "
            f"name. If nobody has: `chmod 600 {file}`. Else move it away, make a new one, and tell people."
        )
    return _private(file, content)


def read_public(file: Path) -> PublicKey:
    """The public key in a file.

    Raises:
        CourseError: it cannot be read, or holds no public Ed25519 key in PEM.
    """
    try:
        key = serialization.load_pem_public_key(file.read_bytes())
    except OSError as error:
        raise CourseError(
            f"{file} cannot be read ({error.strerror}). Name the signer's public key."
        ) from error
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, PublicKey):
        raise CourseError(
            f"{file} holds no public Ed25519 key in PEM. Name the `signing.pub` that the signer gave out."
        )
    return key


def public_text(key: PrivateKey) -> str:
    """The public half as a PEM file."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def fingerprint(key: PublicKey) -> str:
    """A key's name that nobody can choose: sha256 over its 32 bytes, as 64 hex digits."""
    return sha256(key.public_bytes_raw()).hexdigest()


def signature(key: PrivateKey, content: bytes) -> str:
    """The signature over `content`, 88 signs of base64."""
    return base64.b64encode(key.sign(content)).decode()


def is_signed(key: PublicKey, content: bytes, said: bytes) -> bool:
    """Whether `said` is the signature over `content`, in the one way to write it."""
    try:
        plain = base64.b64decode(said, validate=True)
        key.verify(plain, content)
    except (binascii.Error, ValueError, InvalidSignature):
        return False
    return base64.b64encode(plain) == said


def _private(file: Path, content: bytes) -> PrivateKey:
    try:
        key = serialization.load_pem_private_key(content, password=None)
    except TypeError as error:
        raise CourseError(
            f"{file} is locked with a passphrase, which `grader` does not ask for. Name a key without one by "
            "`--signing-key`, kept where only you can read it."
        ) from error
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, PrivateKey):
        raise CourseError(f"{file} holds no private Ed25519 key in PEM. {MAKE} at another place.")
    return key


def _write_new(file: Path) -> None:
    """A key of its own, whole and on the disk before it has the name; one that is there by then stays."""
    content = PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        os.link(name, file)
    except FileExistsError:
        return
    finally:
        Path(name).unlink(missing_ok=True)


def _refuse_in_class(file: Path) -> None:
    for folder in file.resolve().parents:
        if (folder / CLASS).is_file():
            raise CourseError(
                f"{file} lies in the class {folder}, so every backup of it would hold your key. Keep it "
                "elsewhere, and name that place with `--signing-key`."
            )
