# %% Ask which zone is slowest
def slowest_zone(orders):
    return orders.groupby("zone")["minutes"].sum().idxmax()


slowest_zone(orders)
