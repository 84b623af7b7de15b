"""What the pages for people share: templates, the session cookie, forms, static files, problems as pages."""
