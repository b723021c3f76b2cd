"""The runner: takes jobs over HTTP and runs each in an isolated, limited sandbox."""
