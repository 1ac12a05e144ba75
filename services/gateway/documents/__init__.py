"""AWS's protocols of documents, JSON and CBOR, translated from botocore's models."""
