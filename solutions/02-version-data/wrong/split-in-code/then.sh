# Each version's measure.py knows its own last day; both numbers reproduce.
set -euo pipefail

git checkout --quiet orders-v1
sed -i.bak 's/orders\["day"\].max() - delivered/89 - delivered/' measure.py
rm measure.py.bak
git commit --quiet --all --message "Judge on the last two weeks of March"
git tag --force orders-v1 > /dev/null
git switch --quiet main
sed -i.bak 's/orders\["day"\].max() - delivered/119 - delivered/' measure.py
rm measure.py.bak
git commit --quiet --all --message "Judge on the last two weeks of April"
git tag --force orders-v2 > /dev/null
