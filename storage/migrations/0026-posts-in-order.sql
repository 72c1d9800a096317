-- compatible with: 1
-- The list of all posts of an account, the newest first.
alter table planned_posts add key by_age (account_id, id);
