# %% Fit the model
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import Ridge
from sklearn.preprocessing import OneHotEncoder

FEATURES = ["distance_km", "items", "rain_mm", "couriers_free", "kitchen_queue", "hour", *CATEGORIES]
past = train.dropna(subset=["minutes"])
linear = make_pipeline(
    make_column_transformer(
        (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), FEATURES[:5]),
        (OneHotEncoder(handle_unknown="ignore"), FEATURES[5:]),
    ),
    Ridge(),
)
model = TransformedTargetRegressor(linear, func=np.log, inverse_func=np.exp).fit(
    past[FEATURES], past["minutes"]
)
