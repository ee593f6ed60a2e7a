"""Pictures of open museum collections, fetched with their licences."""
