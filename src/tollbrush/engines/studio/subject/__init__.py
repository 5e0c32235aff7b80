"""What a picture is of: found, cut out to the hair, put before something else."""
