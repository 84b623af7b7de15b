"""Files that people send in parts, straight to S3, and the links they load files by."""
