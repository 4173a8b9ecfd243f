"""How good it is, measured: protocols, figures with their n, plots."""
