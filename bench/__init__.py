"""What the product claims, measured: `make bench`, `make bench-crash`, `make soak`."""
