"""What a drill looks at in a restored database, a module each; `drilling` calls them in turn."""
