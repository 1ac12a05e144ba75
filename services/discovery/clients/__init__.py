"""Other services, as discovery asks them."""
