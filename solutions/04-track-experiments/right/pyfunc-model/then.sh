# The model as a pyfunc of its own, with rounding to whole minutes left to the caller.
set -euo pipefail

python moved.py
cat > promise.py <<'PYTHON'
"""The promise as a pyfunc model."""

import mlflow
import skops.io
from mlflow.pyfunc import PythonModel

TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


class Promise(PythonModel):
    def load_context(self, context):
        self.trees = skops.io.load(context.artifacts["trees"], trusted=TRUSTED)

    def predict(self, context, model_input, params=None):
        return self.trees.predict(model_input)


mlflow.models.set_model(Promise())
PYTHON
cat > publish.py <<'PYTHON'
"""Log the chosen run's model as a pyfunc, from code."""

import tomllib
from pathlib import Path

import mlflow
import skops.io
from mlflow.models import infer_signature

from model import Settings, features, fit, weeks

mlflow.set_tracking_uri("sqlite:///mlflow.db")
run_id = tomllib.loads(Path("choice.toml").read_text())["run_id"]
told = mlflow.get_run(run_id).data.params
model = fit(Settings(leaves=int(told["leaves"]), rate=float(told["rate"]), seed=int(told["seed"])))
skops.io.dump(model, "trees.skops")
example = features(weeks(5, 5)).head(3)
with mlflow.start_run(run_id=run_id):
    mlflow.pyfunc.log_model(
        name="promise",
        python_model="promise.py",
        artifacts={"trees": "trees.skops"},
        signature=infer_signature(example, model.predict(example)),
        input_example=example,
        pip_requirements=["-r environment.lock"],
    )
Path("trees.skops").unlink()
PYTHON
python publish.py
git add promise.py publish.py
git commit --quiet --message "Publish as a pyfunc model"
