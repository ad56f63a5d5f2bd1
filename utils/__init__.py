"""Everything around the model: images, latents, run folders, callbacks."""
