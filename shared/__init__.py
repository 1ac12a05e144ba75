"""What at least two contexts need and none of them owns."""
