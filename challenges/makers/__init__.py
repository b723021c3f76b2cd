"""What the generators of the built-in challenges share. Nothing here runs when the service does."""
