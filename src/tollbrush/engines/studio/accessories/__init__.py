"""What people wear: small models lit and turned as the face is."""
