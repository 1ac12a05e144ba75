"""Compares what is allocated with what is there; gives back what is gone, tells what VPCs have."""
