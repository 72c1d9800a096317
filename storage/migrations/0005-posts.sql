-- compatible with: 1
-- Of a post the newest edit counts, and a deletion for ever, in whatever order they come.
alter table posts
  add column edited_at datetime(3) null,
  add column deleted_at datetime(3) null;
