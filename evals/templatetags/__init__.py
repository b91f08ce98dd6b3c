"""Template tags of the evaluating floor."""
