"""Where faces are, and where their features lie."""
