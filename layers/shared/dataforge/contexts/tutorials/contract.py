"""What other contexts may know of tutorials: nothing yet."""
