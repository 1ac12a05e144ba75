"""The figures of the README, on this machine; ends by itself.

With options it measures the ledger alone; discovery has its own: `python -m tests.bench.discovery`.
"""

import sys

from tests.bench import allocate, discovery

if __name__ == "__main__":
    allocate.main()
    if not sys.argv[1:]:
        discovery.main([])
