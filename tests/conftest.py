"""What every test can ask for."""

from hypothesis import settings

pytest_plugins = ["tests.postgres"]

# A slow machine is no failure; pytest's own time limit catches what hangs.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, max_examples=1000)
settings.load_profile("default")
