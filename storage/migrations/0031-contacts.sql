-- compatible with: 1
-- `is_stale`: contact_keys and last_activity_at are to be made anew. One that was merged into another stays, out of every list, so that
-- the merge can be undone; its conversations and addresses are with the survivor.
alter table contacts
  add column attributes json null,
  add column blocked_at datetime(3) null,
  add column blocked_by uuid null,
  add column merged_into_id uuid null,
  add column last_activity_at datetime(3) null,
  add column is_stale boolean not null default true,
  add key by_activity (account_id, merged_into_id, last_activity_at, id),
  add key by_stale (is_stale, id);

-- What a contact is found by. `kind`: name (each word of it), whole (all of it), handle, id, email, phone (its digits, the last first),
-- or `a:` and the key of an attribute. `value` is folded.
create table contact_keys (
  account_id uuid not null,
  kind varchar(44) character set ascii collate ascii_bin not null,
  value varchar(190) character set utf8mb4 collate utf8mb4_bin not null,
  contact_id uuid not null,
  primary key (account_id, kind, value, contact_id),
  key by_contact (account_id, contact_id)
);

create table contact_attribute_definitions (
  account_id uuid not null,
  key_name varchar(40) character set ascii collate ascii_bin not null,
  name varchar(100) not null,
  type varchar(10) character set ascii not null,
  choices json null,
  created_at datetime(3) not null,
  primary key (account_id, key_name)
);

create table contact_notes (
  id uuid not null primary key,
  account_id uuid not null,
  contact_id uuid not null,
  author_id uuid not null,
  text text not null,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  key by_contact (account_id, contact_id, id)
);

-- `snapshot`: what went over to the survivor, and what the survivor was before.
create table contact_merges (
  id uuid not null primary key,
  account_id uuid not null,
  survivor_id uuid not null,
  merged_id uuid not null,
  snapshot json not null,
  merged_by uuid not null,
  merged_at datetime(3) not null,
  undone_by uuid null,
  undone_at datetime(3) null,
  key by_survivor (account_id, survivor_id, merged_at),
  key by_merged (account_id, merged_id, merged_at)
);

create table segments (
  id uuid not null primary key,
  account_id uuid not null,
  name varchar(100) not null,
  filter json not null,
  created_by uuid not null,
  created_at datetime(3) not null,
  updated_at datetime(3) not null,
  unique key by_name (account_id, name)
);
