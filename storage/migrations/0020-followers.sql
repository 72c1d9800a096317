-- compatible with: 1
-- Who follows the numbered events, and how far each has come.
create table followers (
  name varchar(60) character set ascii not null primary key,
  last_number bigint unsigned not null,
  updated_at datetime(3) not null
);

-- Events that a follower could not work on, kept to be looked at; it has gone on without them.
create table follower_failures (
  follower varchar(60) character set ascii not null,
  number bigint unsigned not null,
  account_id uuid not null,
  type varchar(60) character set ascii not null,
  data json not null,
  reason varchar(1000) not null,
  at datetime(3) not null,
  primary key (follower, number),
  key by_account (account_id, at)
);
