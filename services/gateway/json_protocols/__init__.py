"""AWS's JSON protocols, translated from botocore's models and the contracts' descriptors."""
