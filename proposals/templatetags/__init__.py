"""Template tags of the deciding floor."""
