"""A certification authority below an internet registry: its certificates, messages and objects.

Without any I/O: what is signed is given out, and what was kept of it is given back.
"""
