"""The pages of the staff and of the clients, one noun a module."""
