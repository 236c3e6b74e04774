"""What looking on in the shadow costs whoever is answered meanwhile, which is meant to be nothing; and the switch."""
