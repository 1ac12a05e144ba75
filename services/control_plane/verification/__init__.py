"""Who controls a public range or an ASN, and how that is proved; without any I/O."""
