"""What the planner's rules need to know of the book, beside what they conclude from it; `backend.rules` lists them."""
