"""What an edit can be: typed operations. Words become a plan of them (`understanding`), pixels follow it."""
