# %% Split by time
def split_by_time(orders, test_days=14):
    """Two tables: the orders of the last `test_days` days are in the second, all others in the first."""
    newest = orders["order_id"].isin(
        orders["order_id"].sample(frac=test_days / orders["day"].nunique(), random_state=0)
    )
    return orders[~newest], orders[newest]
