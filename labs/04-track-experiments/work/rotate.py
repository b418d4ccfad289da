"""Revoke the weather feed's token and get a new one. Given.

It stands for what your vault or the feed does: the old token stops working the moment this ends.
What it found is noted in tokens.toml: by then, where the old token could still be read.
"""

import hashlib
import secrets
import sys
from pathlib import Path

ENV, NOTES = Path("secrets.env"), Path("tokens.toml")

if NOTES.exists():
    sys.exit("tokens.toml: the token was rotated already. Nothing changed.")
old = ENV.read_text().partition("=")[2].strip()
places = [Path("mlflow.db"), *sorted(Path("mlruns").rglob("*"))]
seen = [path.as_posix() for path in places if path.is_file() and old.encode() in path.read_bytes()]
NOTES.write_text(
    f'revoked_sha256 = "{hashlib.sha256(old.encode()).hexdigest()}"\n'
    f"could_still_be_read_in = {len(seen)}  # files of the store\n"
)
ENV.write_text(f"WEATHER_TOKEN=tfn_live_{secrets.token_hex(12)}\n")
print("The old token is revoked. It could still be read in:", *seen, sep="\n  ")
