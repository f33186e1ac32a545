"""What decides: reads models, histories and quorum systems, and returns verdicts with their scope."""
