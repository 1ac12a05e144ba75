"""Processes that speak gRPC for a service, so that the service's own has its work to itself.

Python runs one thread at a time, and what HTTP/2, tokens, validation and logs cost is more than
most calls' work. A *front* does that part, as many of them as there are processors to spare; the
service's own process, the *core*, gets requests that are checked and whose caller is known, over a
socket pair that nobody else has. The core is what is started, told to stop, and killed: fronts end
with it.
"""
