"""The figures of the README, on this machine: `python -m tests.bench`; ends by itself."""

import uvloop

from tests.bench.allocate import main

if __name__ == "__main__":
    uvloop.run(main())
