"""Text messages by Pigeon Post."""
