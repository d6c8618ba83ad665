"""Channels: the ways a message leaves. Import each from its own module; one pulls in no other."""
