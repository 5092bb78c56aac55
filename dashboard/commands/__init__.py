"""What each command does; `dashboard.cli` only reads the words of the command line."""
