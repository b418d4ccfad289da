# Annotated tags with a message, where the master has lightweight ones.
set -euo pipefail

for version in v1 v2; do
    git tag --force --annotate --message "Orders, $version" "orders-$version" "orders-$version^{}" > /dev/null
done
