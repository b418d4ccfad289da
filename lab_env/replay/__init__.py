"""Tiffin's days, sent to a service order by order, with the truth following when it becomes known.

`run.replay` sends, `log.Log` is what it keeps, `report.read_report` sums that up. Nothing is imported here,
so that `lab --help` starts at once.
"""
