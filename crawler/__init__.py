"""The web: spiders, manners, the archive, the schedule and the command line."""
