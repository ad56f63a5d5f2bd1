"""The search for the latents of an image."""

from models.search.projection import project as project
