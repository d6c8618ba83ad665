"""The contact policy: how many messages a person gets, when, over which channels, and why not."""
