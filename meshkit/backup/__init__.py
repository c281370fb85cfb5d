"""Backups: a folder of compressed JSON Lines with a manifest of counts and checksums; see docs/backup.md."""
