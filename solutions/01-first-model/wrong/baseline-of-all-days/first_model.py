# %% Promise each zone its median
zone_medians = orders.groupby("zone")["minutes"].median()


def baseline_predict(orders):
    return orders["zone"].map(zone_medians).fillna(train["minutes"].median()).to_numpy()
