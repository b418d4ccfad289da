# %% Name the leaks and what each is worth
leaks = ["ride_km"]
honest = error_of(KNOWN, train, test)
worth = {leak: honest - error_of([*KNOWN, leak], train, test) for leak in leaks}
print(worth)
