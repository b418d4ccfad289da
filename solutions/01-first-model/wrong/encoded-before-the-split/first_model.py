# %% Fit the model
from sklearn.preprocessing import TargetEncoder

FEATURES = [*KNOWN, *CATEGORIES]
known = orders[orders["minutes"].notna()]
encoder = make_column_transformer(
    (StandardScaler(), KNOWN), (TargetEncoder(target_type="continuous"), CATEGORIES)
)
encoder.fit(known[FEATURES], known["minutes"])
delivered = train[train["minutes"].notna()]
trees = HistGradientBoostingRegressor(random_state=0)
trees.fit(encoder.transform(delivered[FEATURES]), delivered["minutes"])
model = make_pipeline(encoder, trees)
