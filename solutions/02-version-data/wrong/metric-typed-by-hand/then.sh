# The number was copied from a slide, with one digit.
set -euo pipefail

printf '{"orders": 78792, "mae_minutes": 8.1}\n' > metrics.json
git commit --quiet --all --message "Note the number"
git tag --force orders-v2 > /dev/null
