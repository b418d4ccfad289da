#!/usr/bin/env bash
# What is done in this lab, not written: the version and the store.
set -eu
git rm --quiet --cached dishes.csv
dvc init --quiet
dvc remote add --quiet --default store store
echo /store/ >> .gitignore
dvc add --quiet dishes.csv
git add --all
git commit --quiet --message "Keep the times"
git tag v1
dvc push --quiet
