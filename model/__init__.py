"""What a system is: specifications, quorum systems and objects.  It decides nothing."""
