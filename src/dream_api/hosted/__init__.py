"""Pages that customers see."""
