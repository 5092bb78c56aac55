"""What this project promises to measure: each figure as a ratio to something measured in the same run.

`make bench` runs all of it and writes `RESULTS.md`. Machines differ and are busy, so a figure alone says little:
what is compared is measured in turn (A B A B …), and medians are told.
"""
