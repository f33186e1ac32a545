"""The subcommands of `scrutator`, one file each: arguments in, exit status out.  `cli` puts them together."""
