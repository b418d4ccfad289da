# %% Fit the model
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.preprocessing import OneHotEncoder

COLUMNS = sorted([*KNOWN, *CATEGORIES])
numbers = [name for name in COLUMNS if name not in CATEGORIES]
steps = (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), numbers)
words = (OneHotEncoder(handle_unknown="ignore"), [*CATEGORIES, "hour"])
model = make_pipeline(make_column_transformer(steps, words), Ridge(alpha=3))
model.fit(train.loc[train["minutes"] > 0, COLUMNS], train.loc[train["minutes"] > 0, "minutes"])


# %% Predict
def predict(orders):
    """The minutes to promise, as a list."""
    return [float(value) for value in model.predict(orders.loc[:, COLUMNS])]


# %% Split by time
def split_by_time(orders, test_days=14):
    """Two tables: the orders of the last `test_days` days are in the second, all others in the first."""
    days = sorted(orders["day"].unique())[-1] - np.arange(test_days)
    late = orders["day"].isin(days)
    return orders.loc[~late].sort_values("order_id"), orders.loc[late].sort_values("order_id")


# %% Save the model with its papers
folder = Path("model")
folder.mkdir(exist_ok=True)
found = predict(test)
metrics = {
    "mae": mae(test["minutes"], found),
    "p90": p90_error(test["minutes"], found),
    "baseline_mae": mae(test["minutes"], baseline_predict(test)),
    "floor_mae": floor_mae,
}
metrics["gap_closed"] = (metrics["baseline_mae"] - metrics["mae"]) / (metrics["baseline_mae"] - floor_mae)
note = {
    "predicts": "minutes from order to door",
    "first_day": int(train["day"].min()),
    "last_day": int(train["day"].max()),
}
joblib.dump(model, folder / "model.joblib")
for name, content in {"features": COLUMNS, "metrics": metrics, "note": note}.items():
    (folder / f"{name}.json").write_text(json.dumps(content, indent=2))
