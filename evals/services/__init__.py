"""The only writers of the evaluation floor, one module per noun.

`suites` publishes, `criteria` records, `runs` requests and cancels, `leases` hands out and takes
back, `results` accepts, `workers` enrols.
"""
