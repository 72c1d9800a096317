-- compatible with: 1
-- What is to happen at a certain time: an answer sent, a post published, a conversation woken. One row for each firing, unique by its
-- due time. `next_try_at` is `due_at` until a try has failed; `waiting` rows past it are claimed with skip locked.
create table occurrences (
  id uuid not null primary key,
  account_id uuid not null,
  kind varchar(10) character set ascii not null,
  subject_id uuid not null,
  due_at datetime(3) not null,
  state varchar(10) character set ascii not null default 'waiting',
  tries tinyint unsigned not null default 0,
  next_try_at datetime(3) not null,
  fired_at datetime(3) null,
  fired_by varchar(80) null,
  reason varchar(500) null,
  created_at datetime(3) not null,
  unique key once (kind, subject_id, due_at),
  key by_due (state, next_try_at),
  key by_account (account_id, kind, state, due_at)
);
