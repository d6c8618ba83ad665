"""Values of the domain: people, facts, messages, moments and money. Pure data, no behaviour that waits."""
