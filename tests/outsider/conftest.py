"""A stranger's package is run as its author runs it, not as a part of our suite."""

collect_ignore = ["crmsdk-pigeon", "crmsdk-pocket"]
