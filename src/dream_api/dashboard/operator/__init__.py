"""Pages of the whole instance, for its operators."""
