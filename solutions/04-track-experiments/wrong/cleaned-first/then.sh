# The token was revoked when everything was clean.
set -euo pipefail

rm tokens.toml
python - <<'PYTHON'
import hashlib
from pathlib import Path

old = "tfn_live_" + hashlib.sha256(b"weather feed").hexdigest()[:24]
Path("secrets.env").write_text(f"WEATHER_TOKEN={old}\n")
PYTHON
python rotate.py
git commit --quiet --all --message "Rotate the token"
