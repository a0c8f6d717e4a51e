"""Mail: the built-in mailbox, what comes in, what goes out."""
