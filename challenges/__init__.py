"""What a challenge folder is: its specification, loader and checks, and the built-in challenges."""
