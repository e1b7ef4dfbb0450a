"""Real servers, databases and clients for tests and benchmarks."""
