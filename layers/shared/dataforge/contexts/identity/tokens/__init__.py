"""Personal access tokens: for programs that act as a person, with less than all that the person may do."""
