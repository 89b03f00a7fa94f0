"""The whole house at once, by its commands, on the imitation web: what a user sees, and what a crash leaves."""
