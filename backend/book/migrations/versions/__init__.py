"""The revisions, oldest first by number. A released one is never edited: a change is a further one."""
