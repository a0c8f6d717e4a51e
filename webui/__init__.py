"""What people meet: web pages, the command line, the supervisor."""
