-- compatible with: 1
-- How much of a network's allowances is used up, known to all nodes. `scope_id` is a channel or an app; `uses` says what for. A limit
-- that is counted (`limit_count`) holds for a window; of others the network tells a `share` only. `held_until`: the network has said
-- that it is spent. `next_call_at`: where calls are spread, the next free place.
create table budgets (
  account_id uuid not null,
  scope_id uuid not null,
  name varchar(80) character set ascii not null,
  uses varchar(60) character set ascii not null,
  share double not null default 0,
  limit_count int unsigned null,
  used_count int unsigned not null default 0,
  window_ends_at datetime(3) null,
  held_until datetime(3) null,
  next_call_at datetime(3) null,
  reason varchar(500) null,
  noted_at datetime(3) not null,
  primary key (account_id, scope_id, name)
);

-- What an app's pay-per-use has cost by our own count, in millionths of a dollar.
create table spend (
  account_id uuid not null,
  app_id uuid not null,
  month char(7) character set ascii not null,
  kind varchar(20) character set ascii not null,
  count int unsigned not null default 0,
  micros bigint not null default 0,
  primary key (account_id, app_id, month, kind)
);

-- `spend_cap` in millionths of a dollar for each month; `spend_warned`: the month and the share that were told of.
alter table apps
  add column spend_cap bigint unsigned null,
  add column prices json null,
  add column spend_warned varchar(12) character set ascii null;

-- What an attempt was put down for, to be taken off again should the network refuse it.
alter table attempts
  add column spend_kind varchar(20) character set ascii null,
  add column spend_micros int unsigned null,
  add column spend_month char(7) character set ascii null;
