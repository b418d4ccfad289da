# %% Fit the model
FEATURES = [*KNOWN, *CATEGORIES]
model = make_pipeline(
    make_column_transformer(
        (StandardScaler(), KNOWN),
        (OrdinalEncoder(), CATEGORIES),
    ),
    HistGradientBoostingRegressor(random_state=0),
)
delivered = train[train["minutes"].notna()]
model.fit(delivered[FEATURES], delivered["minutes"])
