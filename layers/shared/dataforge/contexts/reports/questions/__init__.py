"""What learners answered to the questions of a lesson, and what that says of the questions."""
