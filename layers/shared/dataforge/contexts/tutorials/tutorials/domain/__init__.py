"""Rules of tutorials: their states, their steps, and how they read as a document."""
