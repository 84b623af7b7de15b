"""Drafts of tutorials, and the engines that write them."""
