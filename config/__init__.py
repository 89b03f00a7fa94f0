"""What is watched, as data, and the models that check it; the ground floor: imports nothing of the house."""
