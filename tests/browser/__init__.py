"""The pages in a real browser: what a person sees and does, with JavaScript on and off; nothing leaves the host."""
