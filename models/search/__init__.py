"""The search for the latents of an image."""
