"""The wearables themselves, drawn in a head's frame; `accessories` puts them on a photograph."""
