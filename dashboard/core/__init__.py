"""Pure rules: no files, no network, no clock. Time comes in as an argument."""
