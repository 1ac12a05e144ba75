"""What Amazon CloudWatch answers about namespace AWS/IPAM."""
