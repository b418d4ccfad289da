# The store was cleaned, and the token still works.
set -euo pipefail

git rm --quiet tokens.toml
git commit --quiet --message "Tidy up"
