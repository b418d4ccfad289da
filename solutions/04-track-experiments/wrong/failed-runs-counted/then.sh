# Every run that has a number counts. In this store all of them finished.
set -euo pipefail

sed -i.bak 's/(runs\["status"\] == "FINISHED") & //' choose.py
rm choose.py.bak
git commit --quiet --all --message "Count every run"
