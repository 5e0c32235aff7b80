"""Open models on this machine's own GPU, through diffusers. torch is imported only by what runs them."""
