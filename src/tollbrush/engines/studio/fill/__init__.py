"""Paint what is not there from the rest of the picture: holes, scratches, more at the sides."""
