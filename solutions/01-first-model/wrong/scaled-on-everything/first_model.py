# %% Fit the model
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.preprocessing import OneHotEncoder

FEATURES = [*KNOWN, *CATEGORIES]
prepare = make_column_transformer(
    (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), KNOWN),
    (OneHotEncoder(handle_unknown="ignore"), ["hour", *CATEGORIES]),
)
prepare.fit(orders[FEATURES])
delivered = train[train["minutes"].notna()]
ridge = Ridge(alpha=500).fit(prepare.transform(delivered[FEATURES]), delivered["minutes"])
model = make_pipeline(prepare, ridge)
