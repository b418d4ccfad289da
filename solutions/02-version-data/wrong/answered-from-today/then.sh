# measure.py was run on main instead of at orders-v1.
set -euo pipefail

python measure.py | awk '/^market/ {print "market_promise = " $2} /^The promise/ {print "mae_minutes = " $4}' > answers.toml
git commit --quiet --all --message "Answer finance"
