# The published model was fitted with the defaults, not with the run's settings.
set -euo pipefail

python moved.py
sed -i.bak 's/^model = fit(.*/model = fit(Settings())/' publish.py
rm publish.py.bak
python publish.py
git commit --quiet --all --message "Publish the model"
