-- Who may do what: roles of an account's own, limits to channels and teams, a second factor, invitations; and what was done.

-- `role` is the name of a built-in role or the id of a row in `roles`. `channel_ids` null: not limited to channels.
-- `totp_step` is the time step of the last code that was taken: none is taken twice.
alter table users
  modify column role varchar(40) not null,
  add column time_zone varchar(50) character set ascii not null default 'UTC',
  add column channel_ids json null,
  add column is_team_limited boolean not null default false,
  add column sealed_totp blob null,
  add column totp_since datetime(3) null,
  add column totp_step bigint null,
  add column seen_at datetime(3) null;

-- Names and ids of the roles that may not work without a second factor.
alter table accounts add column totp_roles json null;

-- `scopes` null: everything that the user may do.
alter table tokens
  add column scopes json null,
  add column used_at datetime(3) null;

create table roles (
  id uuid not null primary key,
  account_id uuid not null,
  name varchar(100) not null,
  permissions json not null,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  unique key by_name (account_id, name)
);

create table teams (
  id uuid not null primary key,
  account_id uuid not null,
  name varchar(100) not null,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  unique key by_name (account_id, name)
);

create table team_members (
  account_id uuid not null,
  team_id uuid not null,
  user_id uuid not null,
  primary key (account_id, team_id, user_id),
  key by_user (account_id, user_id)
);

-- Links that are good once: to join (`user_id` null), or to set a new password. Only SHA-256 of what stands in the link is known.
create table invitations (
  id uuid not null primary key,
  account_id uuid not null,
  user_id uuid null,
  email varchar(254) not null,
  role varchar(40) not null,
  channel_ids json null,
  is_team_limited boolean not null default false,
  team_ids json null,
  hash binary(32) not null,
  created_by uuid null,
  created_at datetime(3) not null,
  expires_at datetime(3) not null,
  unique key by_hash (hash),
  key by_account (account_id, id),
  key by_expiry (expires_at)
);

-- SHA-256 of each code that is good once in place of the second factor.
create table recovery_codes (
  account_id uuid not null,
  user_id uuid not null,
  hash binary(32) not null,
  primary key (account_id, user_id, hash)
);

-- `hash` is SHA-256 over the row and the hash of the row before: a row that was changed or removed shows. `changes` is kept as text,
-- byte by byte as it was hashed.
create table audit_entries (
  account_id uuid not null,
  sequence bigint unsigned not null,
  at datetime(3) not null,
  actor_id uuid null,
  actor_name varchar(200) not null,
  action varchar(60) character set ascii not null,
  subject_type varchar(40) character set ascii not null,
  subject_id varchar(64) character set ascii null,
  subject_name varchar(200) null,
  via varchar(60) character set ascii not null,
  address varchar(45) character set ascii null,
  agent varchar(300) null,
  request_id varchar(100) character set ascii null,
  changes mediumtext null,
  hash binary(32) not null,
  primary key (account_id, sequence),
  key by_actor (account_id, actor_id, sequence),
  key by_action (account_id, action, sequence),
  key by_time (account_id, at, sequence)
);

-- The end of each account's chain, locked while a row is added.
create table audit_heads (
  account_id uuid not null primary key,
  sequence bigint unsigned not null,
  hash binary(32) not null
);
