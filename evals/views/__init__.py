"""Pages of the evaluation floor that change something: starting runs, writing suites."""
