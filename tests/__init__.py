"""Every test: one folder for each room of the house, and the imitation web."""
