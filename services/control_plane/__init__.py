"""IPAMs, scopes and pool definitions: what address space there is and who may use it how."""
