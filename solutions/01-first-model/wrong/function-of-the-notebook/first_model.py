# %% Fit the model
from sklearn.preprocessing import FunctionTransformer


def as_numbers(table):
    return table.astype(float)


FEATURES = [*KNOWN, *CATEGORIES]
model = make_pipeline(
    make_column_transformer(
        (make_pipeline(FunctionTransformer(as_numbers), StandardScaler()), KNOWN),
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), CATEGORIES),
    ),
    HistGradientBoostingRegressor(random_state=0),
)
delivered = train[train["minutes"].notna()]
model.fit(delivered[FEATURES], delivered["minutes"])
