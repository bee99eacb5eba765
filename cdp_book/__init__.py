"""cdp_book: how the book is made and handed out; `cdp_lib` never imports it."""
