# %% Name the leaks and what each is worth
leaks = ["ride_km", "restaurant_minutes"]
honest = error_of(KNOWN, train, test)
worth = {leak: error_of([*KNOWN, leak], train, test) - honest for leak in leaks}
print(worth)
