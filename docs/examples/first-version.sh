#!/usr/bin/env bash
# Two versions of one file under Git and DVC. Usage: bash first-version.sh FOLDER
set -eu
folder=${1:?Say which folder to make, for example workspace/kitchens}
if [ -e "$folder" ]; then
  echo "$folder is there already. Name another, or remove it." >&2
  exit 2
fi
mkdir -p "$folder"
cd "$folder"

# Three hundred kitchens with the minutes each takes to cook, and a program that takes the mean.
echo "kitchen,minutes" > kitchens.csv
seq 300 | awk '{ print $1 "," 8 + $1 % 20 }' >> kitchens.csv
cat > mean.py <<'PY'
import csv
import json
from pathlib import Path

with Path("kitchens.csv").open(newline="") as file:
    minutes = [int(row["minutes"]) for row in csv.DictReader(file)]
metrics = {"kitchens": len(minutes), "mean_minutes": sum(minutes) / len(minutes)}
Path("metrics.json").write_text(json.dumps(metrics) + "\n")
PY

# --8<-- [start:begin]
git init --quiet --initial-branch main
dvc init --quiet
dvc remote add --quiet --default store store
printf '/store/\n' > .gitignore
# --8<-- [end:begin]

# --8<-- [start:pin]
dvc add --quiet kitchens.csv
# --8<-- [end:pin]

# --8<-- [start:measure]
python mean.py
git add --all
git commit --quiet --message "Measure the first 300 kitchens"
git tag v1
# --8<-- [end:measure]

# --8<-- [start:share]
dvc push --quiet
# --8<-- [end:share]

# --8<-- [start:again]
seq 301 400 | awk '{ print $1 "," 30 + $1 % 5 }' >> kitchens.csv
dvc add --quiet kitchens.csv
python mean.py
git commit --quiet --all --message "Add the 100 kitchens of the new quarter"
git tag v2
dvc push --quiet
# --8<-- [end:again]
