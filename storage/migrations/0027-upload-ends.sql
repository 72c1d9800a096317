-- compatible with: 1
-- What networks no longer have is cleared away.
alter table uploads add key by_expiry (expires_at);
