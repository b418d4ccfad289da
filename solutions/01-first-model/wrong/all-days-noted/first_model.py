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
    "last_day": int(orders["day"].max()),
}
joblib.dump(model, folder / "model.joblib")
for name, content in {"features": FEATURES, "metrics": metrics, "note": note}.items():
    (folder / f"{name}.json").write_text(json.dumps(content, indent=2))
