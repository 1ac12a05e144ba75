"""What discovery does; each use case takes what it needs of the outside as a protocol."""
