"""From an address to a verified file to a parsed table: catalogue, download, proof."""
