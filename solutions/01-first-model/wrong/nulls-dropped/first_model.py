# %% Fit the model
FEATURES = [*KNOWN, *CATEGORIES]
model = make_pipeline(
    make_column_transformer(
        (StandardScaler(), KNOWN),
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), CATEGORIES),
    ),
    HistGradientBoostingRegressor(random_state=0),
)
delivered = train.dropna()
model.fit(delivered[FEATURES], delivered["minutes"])


# %% Save the model with its papers
folder = Path("model")
folder.mkdir(exist_ok=True)
test = test.dropna()
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
for name, content in {"features": FEATURES, "metrics": metrics, "note": note}.items():
    (folder / f"{name}.json").write_text(json.dumps(content, indent=2))
