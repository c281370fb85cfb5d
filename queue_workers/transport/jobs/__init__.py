"""What is done with messages: one module for each topic. A job is called with a batch and is safe to repeat."""
