# The rows of the run were deleted by hand, its files were not.
set -euo pipefail

python - <<'PYTHON'
import hashlib
from pathlib import Path

token = "tfn_live_" + hashlib.sha256(b"weather feed").hexdigest()[:24]
left = Path("mlruns/1/0123456789abcdef0123456789abcdef/artifacts/request.json")
left.parent.mkdir(parents=True)
left.write_text(f'{{"weather_token": "{token}"}}')
PYTHON
