"""What is understood: pure stages from an archived response to a document, and the processor that runs them."""
