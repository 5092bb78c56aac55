"""The only place with Redis, and the archive beside it."""
