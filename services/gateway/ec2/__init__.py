"""The EC2 Query protocol, translated from botocore's model and the contracts' descriptors."""
