# %% Fit the model
FEATURES = [*KNOWN, *CATEGORIES]
model = make_pipeline(
    make_column_transformer(
        (StandardScaler(), KNOWN),
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), CATEGORIES),
    ),
    HistGradientBoostingRegressor(random_state=0),
)
delivered = train[train["minutes"].notna()]
model.fit(delivered[FEATURES], np.log(delivered["minutes"]))


# %% Predict
def predict(orders):
    """The minutes to promise, one number for each row of `orders`, in its order."""
    return np.exp(model.predict(orders[FEATURES]))
