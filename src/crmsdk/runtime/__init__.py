"""The shell: reads people, asks the core, carries its wishes out."""
