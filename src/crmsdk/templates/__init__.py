"""Message templates: a folder a marketer can edit, rendered in a sandbox. The only door to Jinja2."""
