"""Windows → weights: schedules, batches, the loop, and what it writes while it runs."""
