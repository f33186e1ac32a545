"""A deterministic simulator: virtual time, network, disks and clients around the cores, with faults from a tape."""
