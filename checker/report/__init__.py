"""Results for people and programs: text, JSON and a progress line.  It decides nothing."""
