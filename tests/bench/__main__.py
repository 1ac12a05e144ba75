"""The figures of the README, on this machine; ends by itself."""

from tests.bench.allocate import main

if __name__ == "__main__":
    main()
