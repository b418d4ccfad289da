# %% Fit the model
FEATURES = ["distance_km", "items", *CATEGORIES]
model = make_pipeline(
    make_column_transformer(
        (StandardScaler(), FEATURES[:-2]),
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), CATEGORIES),
    ),
    HistGradientBoostingRegressor(random_state=0),
)
delivered = train[train["minutes"].notna()]
model.fit(delivered[FEATURES], delivered["minutes"])
