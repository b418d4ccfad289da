# %% Split by time
def split_by_time(orders, test_days=14):
    """Two tables: the orders of the last `test_days` days are in the second, all others in the first."""
    newest = orders["day"].isin(orders["day"].unique()[-test_days:])
    return orders[~newest], orders[newest]
