"""Files that developers show: pictures of what they sell, documents to download."""
