# %% Fit the model
FEATURES = [*KNOWN, *CATEGORIES]
model = make_pipeline(
    make_column_transformer(
        (StandardScaler(), KNOWN),
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), CATEGORIES),
    ),
    HistGradientBoostingRegressor(loss="quantile", quantile=0.5, random_state=7),
)
delivered = train[train["minutes"].notna()]
model.fit(delivered[FEATURES], delivered["minutes"])
