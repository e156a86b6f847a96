"""Questions of the reading side: each is one statement, however many accounts there are, and changes nothing."""
