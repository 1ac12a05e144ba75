"""The embedded cloud: EC2's resources that take part in IPAM, as records."""
