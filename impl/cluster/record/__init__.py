"""Recording: clients with a workload, a nemesis with faults, and the history of it all."""
