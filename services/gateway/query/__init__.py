"""AWS's plain Query protocol, as IAM and STS speak it; EC2 has a dialect of its own."""
