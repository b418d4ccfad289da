#!/usr/bin/env bash
# What is done, not written: the whole lab in one go.
set -euo pipefail

python moved.py # the prepared workspace was copied here

# retrain: asked too early, then in time; and for a feed never
dvc init --quiet
python alarm.py alarms/094.json --today 94
python alarm.py alarms/099.json --today 105
python alarm.py alarms/094.json --today 111

# act
python release.py promote 125
python release.py verify 132

git add --all
git commit --quiet --message "Answer the bridge"
